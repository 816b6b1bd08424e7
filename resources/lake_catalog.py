"""The two databases that may hold a lake's catalog: a SQLite file, or PostgreSQL.

A process that attaches a lake holds the catalog for itself meanwhile: two that open a new one at
the same moment would both make its tables.
"""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from resources.lake_errors import ForeignLakeError, LakeBusyError, UnreachableCatalogError
from resources.mongodb_address import redacted

ATTACH_SECONDS = 60
"""How long to wait for another process that attaches the same lake."""
OUR_LOCK = 7_305_447_183_211_594_091
"""Any number that no other program on the same server takes for its advisory lock."""


@dataclass(frozen=True)
class AttachWords:
    """What DuckDB's ATTACH has to be told about a catalog."""

    address: str
    options: str
    before: str = field(default="", repr=False)  # a statement that goes first; holds the password


class Catalog(Protocol):
    """A database that holds, or will hold, a lake's catalog."""

    @property
    def label(self) -> str:
        """What it is called in messages; no secret is in it."""

    @property
    def extension(self) -> str:
        """DuckDB's extension that reads it."""

    def is_there(self) -> bool:
        """Return whether what was attached before is still there."""

    def held(self) -> Any:
        """Hold it for this process alone for the length of a `with` block; refuse a foreign one."""

    def attach_words(self) -> AttachWords:
        """Return what ATTACH has to be told."""

    def copy_into(self, folder: Path) -> None:
        """Write a copy that a lake can be restored from."""


@dataclass(frozen=True)
class SqliteCatalog:
    """A SQLite file, created by the first use."""

    path: str

    @property
    def label(self) -> str:
        """Its path."""
        return self.path

    @property
    def extension(self) -> str:
        """DuckDB's extension that reads it."""
        return "sqlite_scanner"

    def is_there(self) -> bool:
        """Return whether nobody has removed the file."""
        return Path(self.path).exists()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold a lock file beside it, which the system gives back even if we are killed.

        Raises:
            LakeBusyError: another process does not let go of it.
            ForeignLakeError: the file exists and is no DuckLake catalog.
        """
        from filelock import FileLock, Timeout

        Path(self.path).parent.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(f"{self.path}.lock", timeout=ATTACH_SECONDS):
                self._refuse_foreign()
                yield
        except Timeout as error:
            raise LakeBusyError(self.label) from error

    def attach_words(self) -> AttachWords:
        """Return what ATTACH has to be told; a write waits ten seconds for another one."""
        return AttachWords(
            f"sqlite:{self.path}", "META_JOURNAL_MODE 'WAL', META_BUSY_TIMEOUT 10000"
        )

    def copy_into(self, folder: Path) -> None:
        """Copy the file as of one instant, whoever writes it meanwhile."""
        with (
            closing(sqlite3.connect(self.path)) as source,
            closing(sqlite3.connect(folder / "catalog.sqlite")) as copy,
        ):
            source.backup(copy)

    def _refuse_foreign(self) -> None:
        """Raise where DuckLake would add its tables to a file of something else."""
        path = Path(self.path)
        if not path.exists() or path.stat().st_size == 0:
            return
        address = f"{path.resolve().as_uri()}?mode=ro"
        try:
            with closing(sqlite3.connect(address, uri=True)) as catalog:
                (found,) = catalog.execute(
                    "SELECT count(*) FROM sqlite_master WHERE name = 'ducklake_metadata'"
                ).fetchone()
        except sqlite3.DatabaseError as error:
            raise ForeignLakeError(self.label, f"it is not a SQLite file ({error})") from error
        if not found:
            raise ForeignLakeError(self.label, "it is a SQLite file of something else")


@dataclass(frozen=True)
class PostgresCatalog:
    """A database of a PostgreSQL server, which must exist; only its tables are created."""

    address: str

    @property
    def label(self) -> str:
        """Its address without the password."""
        return redacted(self.address)

    @property
    def extension(self) -> str:
        """DuckDB's extension that reads it."""
        return "postgres_scanner"

    def is_there(self) -> bool:
        """Return True: a server that went away says so itself."""
        return True

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold an advisory lock, which the server gives back even if we are killed.

        Raises:
            UnreachableCatalogError: no server answers, or it does not let us in.
            LakeBusyError: another process does not let go of it.
            ForeignLakeError: the database holds tables and no DuckLake catalog.
        """
        import psycopg2
        from psycopg2.errors import LockNotAvailable

        try:
            connection = psycopg2.connect(self.address)
        except psycopg2.Error as error:
            # What the driver says of a malformed address may quote a part of the password.
            is_malformed = not isinstance(error, psycopg2.OperationalError)
            fault = "it is no PostgreSQL address" if is_malformed else str(error)
            raise UnreachableCatalogError(self.label, fault) from None
        with closing(connection), connection.cursor() as cursor:
            try:
                cursor.execute(f"SET lock_timeout = '{ATTACH_SECONDS}s'")
                cursor.execute("SELECT pg_advisory_lock(%s)", (OUR_LOCK,))
            except LockNotAvailable as error:
                raise LakeBusyError(self.label) from error
            self._refuse_foreign(cursor)
            yield

    def attach_words(self) -> AttachWords:
        """Return what ATTACH has to be told.

        The password goes in as a secret of DuckDB, whose errors quote the address.
        """
        from psycopg2.extensions import make_dsn, parse_dsn

        parts = parse_dsn(self.address)
        password = parts.pop("password", "").replace("'", "''")
        return AttachWords(
            f"postgres:{make_dsn(**parts)}",
            "META_SECRET lake_catalog",
            before=f"CREATE SECRET lake_catalog (TYPE postgres, PASSWORD '{password}')",
        )

    def copy_into(self, folder: Path) -> None:
        """Write the database as SQL with the server's own tool.

        Raises:
            UnreachableCatalogError: pg_dump is not installed, or failed.
        """
        from psycopg2.extensions import make_dsn, parse_dsn

        program = shutil.which("pg_dump")
        if program is None:
            fault = "pg_dump, which a backup needs, is not installed: install PostgreSQL's client"
            raise UnreachableCatalogError(self.label, fault)
        parts = parse_dsn(self.address)
        password = parts.pop("password", "")  # other users see the words of a command
        done = subprocess.run(  # noqa: S603  the command is ours, word by word
            [program, "--no-owner", f"--file={folder / 'catalog.sql'}", make_dsn(**parts)],
            env=os.environ | {"PGPASSWORD": password},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise UnreachableCatalogError(self.label, done.stderr)

    def _refuse_foreign(self, cursor: Any) -> None:
        """Raise where DuckLake would add its tables to a database of something else."""
        cursor.execute(
            "SELECT count(*), count(*) FILTER (WHERE table_name = 'ducklake_metadata') "
            "FROM information_schema.tables WHERE table_schema = current_schema()"
        )
        tables, found = cursor.fetchone()
        if tables and not found:
            fault = "it holds tables of something else: create a database for the lake alone"
            raise ForeignLakeError(self.label, fault)
