"""Attaching a lake to this process: extensions, the catalog's identity, missing tables.

A process attaches a lake once and hands out cursors of that connection: loading the extensions and
verifying their signatures takes half a second of processor time, a cursor a few milliseconds.
"""

import os
import sqlite3
import threading
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from dagster_duckdb import DuckDBResource

from pipelines.tables import TABLES, create_statement
from resources.lake_errors import ForeignLakeError, MissingExtensionError
from resources.lake_upgrade import upgrade_statements

EXTENSIONS = ("ducklake", "sqlite_scanner")

LAKE_FORMAT = 1
"""Version of our own tables; a lake with a higher one was made by a newer Nightdesk."""


@dataclass(frozen=True)
class LakeLocation:
    """Where a lake is, and which market it is for."""

    catalog_path: str
    data_path: str
    extension_directory: str
    market: str


@dataclass(frozen=True)
class _Attachment:
    """A connection with the lake attached, and what closes it."""

    connection: duckdb.DuckDBPyConnection
    resources: ExitStack


_ATTACHMENTS: dict[tuple[int, LakeLocation], _Attachment] = {}
_ATTACHING = threading.Lock()


def attached(location: LakeLocation) -> duckdb.DuckDBPyConnection:
    """Return this process's connection to a lake, attaching it the first time.

    Raises:
        LakeError: with what is wrong and what to do about it.
    """
    key = (os.getpid(), location)  # a forked child must not use its parent's connection
    with _ATTACHING:
        found = _ATTACHMENTS.get(key)
        if found and Path(location.catalog_path).exists():
            return found.connection
        if found:  # the folder was removed under a running process
            found.resources.close()
        _ATTACHMENTS[key] = _attach(location)
        return _ATTACHMENTS[key].connection


def detach(catalog_path: str) -> None:
    """Close this process's connections to a lake, so that its files can be moved or replaced."""
    with _ATTACHING:
        for key in [key for key in _ATTACHMENTS if key[1].catalog_path == catalog_path]:
            _ATTACHMENTS.pop(key).resources.close()


def _attach(location: LakeLocation) -> _Attachment:
    """Attach the lake and create the tables that it does not have yet."""
    settings = {
        "extension_directory": location.extension_directory,
        "autoinstall_known_extensions": False,
    }
    database = DuckDBResource(database=":memory:", connection_config=settings)
    with ExitStack() as stack:
        connection = stack.enter_context(database.get_connection())
        stack.callback(connection.close)
        load_extensions(connection)
        refuse_foreign_catalog(location.catalog_path)
        _make_folders(location)
        connection.execute(
            f"ATTACH {_quoted(f'ducklake:sqlite:{location.catalog_path}')} AS lake "
            f"(DATA_PATH {_quoted(location.data_path)}, META_JOURNAL_MODE 'WAL', "
            "META_BUSY_TIMEOUT 10000)"
        )
        connection.execute("USE lake")
        _prepare_tables(connection, location)
        return _Attachment(connection, stack.pop_all())


def load_extensions(connection: duckdb.DuckDBPyConnection) -> None:
    """Load DuckDB's extensions from the installed wheels, without a download.

    Raises:
        MissingExtensionError: a wheel is not installed, or is of another DuckDB version.
    """
    from duckdb_extensions import import_extension

    for name in EXTENSIONS:
        try:
            import_extension(name, con=connection)
            connection.execute(f"LOAD {name}")
        except (ImportError, duckdb.Error) as error:
            raise MissingExtensionError(name, duckdb.__version__, str(error)) from error


def refuse_foreign_catalog(catalog_path: str) -> None:
    """Raise where the catalog's file exists and is not a DuckLake catalog.

    DuckLake itself would add its tables to any SQLite file that it is pointed at.
    """
    path = Path(catalog_path)
    if not path.exists() or path.stat().st_size == 0:
        return
    address = f"{path.resolve().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True)) as catalog:
            (found,) = catalog.execute(
                "SELECT count(*) FROM sqlite_master WHERE name = 'ducklake_metadata'"
            ).fetchone()
    except sqlite3.DatabaseError as error:
        raise ForeignLakeError(catalog_path, f"it is not a SQLite file ({error})") from error
    if not found:
        raise ForeignLakeError(catalog_path, "it is a SQLite file of something else")


def _quoted(text: str) -> str:
    """Return a text as an SQL literal; ATTACH takes no parameters."""
    escaped = text.replace("'", "''")
    return f"'{escaped}'"


def _make_folders(location: LakeLocation) -> None:
    """Create the folders of catalog and data; object storage has none."""
    Path(location.catalog_path).parent.mkdir(parents=True, exist_ok=True)
    if "://" not in location.data_path:
        Path(location.data_path).mkdir(parents=True, exist_ok=True)


def _prepare_tables(connection: duckdb.DuckDBPyConnection, location: LakeLocation) -> None:
    """Create missing tables, and refuse a lake of another market or of a newer format."""
    found = {name for (name,) in connection.execute("SHOW TABLES").fetchall()}
    if "lake_identity" in found:
        identity = connection.execute("SELECT format, market FROM lake_identity").fetchone()
        _refuse_other_lake(identity, location)
    elif found:
        fault = "it holds tables that Nightdesk did not make"
        raise ForeignLakeError(location.catalog_path, fault)
    missing = [table for name, table in TABLES.items() if name not in found]
    upgrades = upgrade_statements(connection, location.catalog_path)
    if not missing and not upgrades:
        return
    connection.begin()
    if "lake_identity" not in found:
        connection.execute("CREATE TABLE lake_identity (format INTEGER, market VARCHAR)")
        connection.execute(
            "INSERT INTO lake_identity VALUES ($format, $market)",
            {"format": LAKE_FORMAT, "market": location.market},
        )
    for table in missing:
        connection.execute(create_statement(table, catalog="lake"))
    for statement in upgrades:
        connection.execute(statement)
    connection.commit()


def _refuse_other_lake(identity: tuple[Any, ...] | None, location: LakeLocation) -> None:
    """Raise where the lake is of another market or was made by a newer Nightdesk."""
    if identity is None:
        raise ForeignLakeError(location.catalog_path, "its table lake_identity is empty")
    lake_format, market = identity
    if lake_format > LAKE_FORMAT:
        raise ForeignLakeError(
            location.catalog_path,
            f"its format is {lake_format} and this Nightdesk knows up to {LAKE_FORMAT}: "
            "install the Nightdesk that made it",
        )
    if market != location.market:
        raise ForeignLakeError(
            location.catalog_path,
            f"it holds the market {market!r} and NIGHTDESK_MARKET is {location.market!r}: "
            "set NIGHTDESK_HOME to another folder for each market",
        )
