"""Attaching a lake to this process: extensions, the lake's identity, missing tables.

A process attaches a lake once and hands out cursors of that connection: loading the extensions and
verifying their signatures takes half a second of processor time, a cursor a few milliseconds.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
from dagster_duckdb import DuckDBResource

from pipelines.table import create_statement, layout_statements
from pipelines.tables import TABLES
from resources.lake_catalog import Catalog
from resources.lake_errors import ForeignLakeError, MissingExtensionError
from resources.lake_upgrade import upgrade_statements
from resources.object_storage import EXTENSION, ObjectStorage, is_object_storage

LAKE_FORMAT = 1
"""Version of our own tables; a lake with a higher one was made by a newer Nightdesk."""


FILE_OPTIONS = {"parquet_version": "2", "parquet_compression": "zstd"}
"""The second version of the format splits the bytes of floats, which then take a fifth less."""

SET_UP = "SET TimeZone = 'UTC'; USE lake"
"""What every cursor begins with."""


@dataclass(frozen=True)
class LakeLocation:
    """Where a lake is, and which market it is for."""

    catalog: Catalog
    data_path: str
    extension_directory: str
    market: str
    storage: ObjectStorage

    @property
    def extensions(self) -> tuple[str, ...]:
        """DuckDB's extensions that it takes."""
        of_files = (EXTENSION,) if is_object_storage(self.data_path) else ()
        return ("ducklake", self.catalog.extension, *of_files)


@dataclass(frozen=True)
class _Attachment:
    """A connection with the lake attached, its cursors that nobody uses, and what closes all."""

    connection: duckdb.DuckDBPyConnection
    resources: ExitStack
    idle: list[duckdb.DuckDBPyConnection] = field(default_factory=list)

    def take(self) -> duckdb.DuckDBPyConnection:
        """Return a cursor that is set up for use."""
        try:
            return self.idle.pop()
        except IndexError:
            cursor = self.connection.cursor()
            cursor.execute(SET_UP)
            return cursor

    def close(self) -> None:
        """Close the connection and the cursors that are kept."""
        while self.idle:
            self.idle.pop().close()
        self.resources.close()


_ATTACHMENTS: dict[tuple[int, LakeLocation], _Attachment] = {}
_ATTACHING = threading.Lock()


def attached(location: LakeLocation) -> duckdb.DuckDBPyConnection:
    """Return this process's connection to a lake, attaching it the first time.

    Raises:
        LakeError: with what is wrong and what to do about it.
    """
    return _attachment(location).connection


@contextmanager
def lent_cursor(location: LakeLocation) -> Iterator[duckdb.DuckDBPyConnection]:
    """Lend a cursor to a single reading statement, and keep it for the next one.

    Setting one up takes two of the ten milliseconds of a small read. Whoever begins a transaction
    or makes temporary tables takes a cursor of their own.

    Raises:
        LakeError: with what is wrong and what to do about it.
    """
    attachment = _attachment(location)
    cursor = attachment.take()
    try:
        yield cursor
    except BaseException:
        cursor.close()
        raise
    attachment.idle.append(cursor)


def detach(catalog: str) -> None:
    """Close this process's connections to a lake, so that its files can be moved or replaced.

    The catalog is named by its path, or by its address without the password.
    """
    with _ATTACHING:
        for key in [key for key in _ATTACHMENTS if key[1].catalog.label == catalog]:
            _ATTACHMENTS.pop(key).close()


def _attachment(location: LakeLocation) -> _Attachment:
    """Return this process's attachment of a lake, made the first time."""
    key = (os.getpid(), location)  # a forked child must not use its parent's connection
    with _ATTACHING:
        found = _ATTACHMENTS.get(key)
        if found and location.catalog.is_there():
            return found
        if found:  # the folder was removed under a running process
            found.close()
        _ATTACHMENTS[key] = _attach(location)
        return _ATTACHMENTS[key]


def _attach(location: LakeLocation) -> _Attachment:
    """Attach the lake and create the tables that it does not have yet."""
    settings = connection_settings(location)
    database = DuckDBResource(database=":memory:", connection_config=settings)
    with ExitStack() as stack:
        connection = stack.enter_context(database.get_connection())
        stack.callback(connection.close)
        load_extensions(connection, *location.extensions)
        with location.catalog.held():
            _attach_lake(connection, location)
        return _Attachment(connection, stack.pop_all())


def connection_settings(location: LakeLocation) -> dict[str, str | bool | int | float | list[str]]:
    """Return the settings of a connection that a lake is attached to."""
    return {
        "extension_directory": location.extension_directory,
        "autoinstall_known_extensions": False,
        # Polars counts the processors that this process may use, DuckDB those of the machine; each
        # thread beyond the first doubles what a small statement costs.
        "threads": pl.thread_pool_size(),
    }


def _attach_lake(connection: duckdb.DuckDBPyConnection, location: LakeLocation) -> None:
    """Attach the lake, whose catalog is held, as the connection's database in use."""
    if not is_object_storage(location.data_path):  # which has no folders
        Path(location.data_path).mkdir(parents=True, exist_ok=True)
    for statement in attach_statements(location):
        connection.execute(statement)
    connection.execute("USE lake")
    _prepare_tables(connection, location)


def attach_statements(
    location: LakeLocation, *, name: str = "lake", read_only: bool = False
) -> list[str]:
    """Return the SQL that attaches a lake to a connection whose extensions are loaded."""
    words = location.catalog.attach_words()
    options = f"DATA_PATH {_quoted(location.data_path)}, {words.options}"
    if read_only:
        options += ", READ_ONLY"
    attach = f"ATTACH {_quoted(f'ducklake:{words.address}')} AS {name} ({options})"
    before = [words.before] if words.before else []
    if is_object_storage(location.data_path):
        before.append(location.storage.secret_statement())
    return [*before, attach]


def load_extensions(connection: duckdb.DuckDBPyConnection, *names: str) -> None:
    """Load DuckDB's extensions from the installed wheels, without a download or a copy.

    Raises:
        MissingExtensionError: a wheel is not installed, or is of another DuckDB version.
    """
    for name in names:
        try:
            connection.execute(f"LOAD {_quoted(str(_extension_file(name)))}")
        except (ImportError, duckdb.Error) as error:
            raise MissingExtensionError(name, duckdb.__version__, str(error)) from error


def _extension_file(name: str) -> Traversable:
    """Return the file that an extension's wheel brings for this DuckDB."""
    folder = files(f"duckdb_extension_{name}") / "extensions" / f"v{duckdb.__version__}"
    return folder / f"{name}.duckdb_extension"


def _quoted(text: str) -> str:
    """Return a text as an SQL literal; ATTACH takes no parameters."""
    escaped = text.replace("'", "''")
    return f"'{escaped}'"


def _prepare_tables(connection: duckdb.DuckDBPyConnection, location: LakeLocation) -> None:
    """Create missing tables, and refuse a lake of another market or of a newer format."""
    found = {name for (name,) in connection.execute("SHOW TABLES").fetchall()}
    if "lake_identity" in found:
        identity = connection.execute("SELECT format, market FROM lake_identity").fetchone()
        _refuse_other_lake(identity, location)
    elif found:
        fault = "it holds tables that Nightdesk did not make"
        raise ForeignLakeError(location.catalog.label, fault)
    missing = [table for name, table in TABLES.items() if name not in found]
    upgrades = upgrade_statements(connection, location.catalog.label)
    if not missing and not upgrades:
        return
    connection.begin()
    if "lake_identity" not in found:
        connection.execute("CREATE TABLE lake_identity (format INTEGER, market VARCHAR)")
        connection.execute(
            "INSERT INTO lake_identity VALUES ($format, $market)",
            {"format": LAKE_FORMAT, "market": location.market},
        )
        _set_file_options(connection)
    for table in missing:
        connection.execute(create_statement(table, catalog="lake"))
        upgrades += layout_statements(table, catalog="lake")
    for statement in upgrades:
        connection.execute(statement)
    connection.commit()


def _set_file_options(connection: duckdb.DuckDBPyConnection) -> None:
    """Say how the lake's files are written; it is kept in the catalog."""
    for name, value in FILE_OPTIONS.items():
        connection.execute(f"CALL lake.set_option('{name}', '{value}')")


def _refuse_other_lake(identity: tuple[Any, ...] | None, location: LakeLocation) -> None:
    """Raise where the lake is of another market or was made by a newer Nightdesk."""
    if identity is None:
        raise ForeignLakeError(location.catalog.label, "its table lake_identity is empty")
    lake_format, market = identity
    if lake_format > LAKE_FORMAT:
        raise ForeignLakeError(
            location.catalog.label,
            f"its format is {lake_format} and this Nightdesk knows up to {LAKE_FORMAT}: "
            "install the Nightdesk that made it",
        )
    if market != location.market:
        raise ForeignLakeError(
            location.catalog.label,
            f"it holds the market {market!r} and NIGHTDESK_MARKET is {location.market!r}: "
            "set NIGHTDESK_HOME to another folder for each market",
        )
