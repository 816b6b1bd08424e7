"""A real mongod on loopback for people without a MongoDB server of their own.

It lives under `<state folder>/mongo`, outlives the command that started it, and is found again by
`mongod.json` (pid and port). A process counts as ours only if its command line names our data
folder, so a reused pid is never taken for it or killed. Linux and macOS only.
"""

import fcntl
import json
import os
import shutil
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from resources.mongod_launch import HOST, OWN_SERVER, EmbeddedMongoError, launch, mongod_binary
from resources.processes import command_line, has_ended

STOP_SECONDS = 30.0
POLL_SECONDS = 0.05
PORT_ATTEMPTS = 3
MEGABYTE = 1024**2
DISK_MEGABYTES_NEEDED = 300


@dataclass(frozen=True)
class RunningMongod:
    """A mongod of ours: its process and its port on loopback."""

    pid: int
    port: int

    @property
    def uri(self) -> str:
        """Address to connect to."""
        return f"mongodb://{HOST}:{self.port}/"


def ensure_running(folder: Path, *, binary: Path | None = None) -> str:
    """Return the address of the state folder's mongod, starting it if it does not run.

    Callers at the same time get the same one.

    Raises:
        EmbeddedMongoError: there is no binary for this platform, or it cannot run or start.
    """
    running = status(folder)
    if running is None:
        with _locked(_home(folder)) as home:
            running = status(folder) or _replace(home, binary or mongod_binary())
    return running.uri


def status(folder: Path) -> RunningMongod | None:
    """Return the state folder's mongod if it runs and takes connections."""
    home = _home(folder)
    recorded = _recorded(home)
    if recorded and _is_ours(recorded.pid, home) and _takes_connections(recorded.port):
        return recorded
    return None


def stop(folder: Path) -> bool:
    """Shut down the state folder's mongod; return whether one was running."""
    if not _home(folder).exists():
        return False
    with _locked(_home(folder)) as home:
        was_running = _end_ours(home)
        (home / "mongod.json").unlink(missing_ok=True)
    return was_running


def _home(folder: Path) -> Path:
    """Return where the mongod of a state folder lives; mongod itself wants absolute paths."""
    return folder.resolve() / "mongo"


@contextmanager
def _locked(home: Path) -> Iterator[Path]:
    """Hold the right to start or stop; it is given back even if this process is killed."""
    (home / "data").mkdir(parents=True, exist_ok=True)
    with (home / "start.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield home


def _replace(home: Path, binary: Path) -> RunningMongod:
    """Start a mongod where none answers, after ending one that hangs or lost its record."""
    _end_ours(home)
    _require_disk(home)
    previous = _recorded(home)
    ports = [previous.port] if previous else []
    ports += [_free_port() for _ in range(PORT_ATTEMPTS)]
    for port in ports:
        if launch(binary, home, port=port):
            return _record(home, port)
    message = f"mongod found no free port on {HOST}, tried {ports}: try again, {OWN_SERVER}"
    raise EmbeddedMongoError(message)


def _require_disk(home: Path) -> None:
    """Refuse to start where mongod would fill the disk at once."""
    free = shutil.disk_usage(home).free // MEGABYTE
    if free < DISK_MEGABYTES_NEEDED:
        message = (
            f"the disk is full: {free} MB are free for {home} and mongod needs "
            f"{DISK_MEGABYTES_NEEDED} MB; make room, {OWN_SERVER}"
        )
        raise EmbeddedMongoError(message)


def _end_ours(home: Path) -> bool:
    """End the mongod that uses the data folder, recorded or not; return whether there was one."""
    recorded = _recorded(home)
    pids = {_locking_pid(home), recorded.pid if recorded else None}
    ours = [pid for pid in pids if pid is not None and _is_ours(pid, home)]
    for pid in ours:
        _end(pid, home)
    return bool(ours)


def _end(pid: int, home: Path) -> None:
    """Ask a mongod to shut down, and kill it if it does not."""
    for request, seconds in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, STOP_SECONDS)):
        try:
            os.kill(pid, request)
        except ProcessLookupError:
            return
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if has_ended(pid):
                return
            time.sleep(POLL_SECONDS)
    message = f"mongod (pid {pid}) did not end: end it by hand, its data is in {home}"
    raise EmbeddedMongoError(message)


def _record(home: Path, port: int) -> RunningMongod:
    """Write down the mongod that has just started, in one piece."""
    pid = _locking_pid(home)
    if pid is None:
        message = f"mongod on port {port} ended as soon as it had started: see {home}/mongod.log"
        raise EmbeddedMongoError(message)
    running = RunningMongod(pid=pid, port=port)
    draft = home / "mongod.json.draft"
    draft.write_text(json.dumps(asdict(running)))
    draft.replace(home / "mongod.json")
    return running


def _recorded(home: Path) -> RunningMongod | None:
    """Return the mongod that was last written down, running or not."""
    try:
        return RunningMongod(**json.loads((home / "mongod.json").read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None  # a record nobody can read is as good as none: the data folder's lock decides


def _locking_pid(home: Path) -> int | None:
    """Return the pid that mongod wrote into its data folder; it empties the file when it ends."""
    lock = home / "data" / "mongod.lock"
    text = lock.read_text().strip() if lock.exists() else ""
    return int(text) if text.isdigit() else None


def _is_ours(pid: int, home: Path) -> bool:
    """Return whether a process lives and is a mongod on our data folder."""
    return f"--dbpath {home / 'data'} --logpath " in command_line(pid)


def _takes_connections(port: int) -> bool:
    """Return whether something listens on the port."""
    try:
        socket.create_connection((HOST, port), timeout=1.0).close()
    except OSError:
        return False
    return True


def _free_port() -> int:
    """Return a port of loopback that is free at this moment."""
    with socket.create_server((HOST, 0)) as server:
        return int(server.getsockname()[1])
