"""The lake: a DuckLake with its catalog in SQLite or PostgreSQL and its tables in Parquet.

DuckDB is the engine, in memory and one connection a step; every process may read, and writing steps
share a pool of one. Why a lake and not a `.duckdb` file is told in `docs/adr/0001-ducklake.md`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import ClassVar, TypeVar

import dagster as dg
import duckdb
import polars as pl
from dagster_duckdb import DuckDBResource
from pydantic import Field

from pipelines.derivations import Derivation, Lot, TableUpdate
from pipelines.nights import Night
from pipelines.scratch import Scratch
from pipelines.table import IN_SESSIONS, Table
from resources.lake_attachment import SET_UP, LakeLocation, attached, lent_cursor
from resources.lake_catalog import Catalog, PostgresCatalog, SqliteCatalog
from resources.lake_errors import LakeBusyError, explained
from resources.lake_writer import LakeWriter
from resources.object_storage import ObjectStorage

Result = TypeVar("Result")


def looked_up(text: str) -> str:
    """Return a setting that may be a variable's: outside a run nobody has looked it up yet."""
    found: str | None = text.get_value() if isinstance(text, dg.EnvVar) else text
    return found or ""


class Lake(DuckDBResource):
    """The feature store's tables, their versions and their change feed."""

    tells_changes: ClassVar[bool] = True
    """Whether it has a change feed, and can be asked for the rows that a version wrote."""

    database: str = Field(
        default=":memory:", description="DuckDB itself holds nothing; the lake does."
    )
    catalog_path: str = Field(description="SQLite file of the catalog, created by the first use.")
    catalog_database: str = Field(
        default="", description="Address of a PostgreSQL database in place of the SQLite file."
    )
    data_path: str = Field(
        description="Folder of the Parquet files, or s3://bucket/folder, with a slash at its end."
    )
    storage_key_id: str = Field(default="", description="Name of the key to the bucket.")
    storage_secret: str = Field(default="", description="The key to the bucket.")
    storage_region: str = Field(default="", description="Region of the bucket.")
    storage_endpoint: str = Field(
        default="", description="Address of the bucket's server, where it is not Amazon's."
    )
    extension_directory: str = Field(description="Where DuckDB keeps the extensions it was given.")
    market: str = Field(description="The market whose data this lake holds.")
    scratch_directory: str = Field(
        default="", description="Where rows that may exceed memory lie meanwhile; empty: in memory."
    )
    busy_attempts: int = Field(default=6, gt=0, description="Tries of a commit before giving up.")

    @property
    def location(self) -> LakeLocation:
        """Where this lake is, as its attachment needs it."""
        return LakeLocation(
            self.catalog, self.data_path, self.extension_directory, self.market, self.storage
        )

    @property
    def storage(self) -> ObjectStorage:
        """Who asks for the files, where they lie in a bucket."""
        return ObjectStorage(
            looked_up(self.storage_key_id),
            looked_up(self.storage_secret),
            self.storage_region,
            self.storage_endpoint,
        )

    @property
    def scratch(self) -> Scratch:
        """Where the rows of a training lie while it runs."""
        return Scratch(Path(self.scratch_directory) if self.scratch_directory else None)

    @property
    def catalog(self) -> Catalog:
        """The database that holds the catalog."""
        address = looked_up(self.catalog_database)
        return PostgresCatalog(address) if address else SqliteCatalog(self.catalog_path)

    @contextmanager
    def connect(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open the lake for the length of a `with` block, as the catalog in use.

        A process attaches a lake once and hands out cursors: loading and verifying the extensions
        takes a quarter of a second of processor time, a cursor a millisecond.

        Raises:
            LakeError: with what is wrong and what to do about it.
        """
        with explained(self.catalog.label, self.data_path), self._attached().cursor() as cursor:
            cursor.execute(SET_UP)
            yield cursor

    def read(
        self,
        query: str,
        parameters: Mapping[str, object] | None = None,
        *,
        version: int | None = None,
    ) -> pl.DataFrame:
        """Return the rows of a query.

        Args:
            query: SQL; with a version, `{at}` stands behind each table that is read as of it.
            parameters: Values of the query's `$name` parameters.
            version: Lake version to read at; None reads the newest.
        """
        at = "" if version is None else f"AT (VERSION => {version})"
        text = query.replace("{at}", at)
        with self._reader() as connection:
            return connection.execute(text, dict(parameters or {})).pl()

    def version(self) -> int:
        """Return the number of the newest lake version."""
        with self._reader() as connection:
            return current_version(connection)

    def commit(self, work: Callable[[LakeWriter], Result], *, night: Night, message: str) -> Result:
        """Run a piece of work in one transaction, with the night in the commit message.

        A commit that another writer got ahead of is tried again from the start, after a random
        pause; so `work` must do nothing but read and write the lake.

        Raises:
            LakeBusyError: other writers were ahead every time.
        """
        from tenacity import (
            RetryError,
            Retrying,
            retry_if_exception_type,
            stop_after_attempt,
            wait_random_exponential,
        )

        attempts = Retrying(
            retry=retry_if_exception_type(LakeBusyError),
            stop=stop_after_attempt(self.busy_attempts),
            wait=wait_random_exponential(multiplier=0.2, max=5),
        )
        try:
            result: Result = attempts(self._commit_once, work, night, message)
        except RetryError as error:
            raise LakeBusyError(self.catalog.label) from error
        return result

    def of_sessions(self, table: Table, sessions: Sequence[date]) -> pl.DataFrame:
        """Return the rows of a table that belong to some sessions, by session and key."""
        order = ", ".join(["session", *(name for name in table.key if name != "session")])
        return self.read(
            f"SELECT * FROM {table.name} WHERE {IN_SESSIONS} ORDER BY {order}",
            {"sessions": list(sessions)},
        )

    def replace_sessions(
        self, table: Table, rows: pl.DataFrame, *, nights: Sequence[Night]
    ) -> None:
        """Make a table hold exactly these rows for the sessions of nights, in one commit."""
        if nights:
            self.commit(
                lambda writer: writer.replace(table, rows, sessions=[n.session for n in nights]),
                night=nights[-1],
                message=f"write {table.name} of {len(nights)} nights",
            )

    def bring_up_to_date(self, derivation: Derivation, *, night: Night) -> TableUpdate:
        """Recompute what depends on changes in the sources of a state table, and nothing else."""
        return self.commit(
            lambda writer: writer.derive(derivation),
            night=night,
            message=f"derive {derivation.table.name}",
        )

    def bring_lot_up_to_date(self, lot: Lot, *, night: Night) -> dict[str, TableUpdate]:
        """Bring several state tables up to date in one commit; return what it did to each."""
        return self.commit(
            lambda writer: writer.derive_lot(lot), night=night, message=f"derive {lot.names}"
        )

    @contextmanager
    def _reader(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open the lake for one statement that reads."""
        with explained(self.catalog.label, self.data_path), lent_cursor(self.location) as cursor:
            yield cursor

    def _attached(self) -> duckdb.DuckDBPyConnection:
        """Return this process's connection to the lake."""
        return attached(self.location)

    def _note_commit(
        self, connection: duckdb.DuckDBPyConnection, *, night: Night, message: str
    ) -> None:
        """Say in an open transaction what it is for."""
        connection.execute(
            "CALL lake.set_commit_message($author, $message, extra_info => $night)",
            {
                "author": "nightdesk",
                "message": f"{message} for {night.session} of {night.market}",
                "night": night.night_id,
            },
        )

    def _commit_once(
        self, work: Callable[[LakeWriter], Result], night: Night, message: str
    ) -> Result:
        """Run the work in one transaction and commit it."""
        with self.connect() as connection:
            connection.begin()
            try:
                result = work(LakeWriter(connection, self.data_path))
                self._note_commit(connection, night=night, message=message)
                connection.commit()
            except BaseException:
                _roll_back(connection)
                raise
            return result


def current_version(connection: duckdb.DuckDBPyConnection) -> int:
    """Return the newest version of the attached lake, as this connection sees it."""
    row = connection.execute("SELECT id FROM lake.current_snapshot()").fetchone()
    return int(row[0]) if row else 0


def _roll_back(connection: duckdb.DuckDBPyConnection) -> None:
    """Undo an open transaction; where the failed commit has already ended it, there is none."""
    try:
        connection.rollback()
    except duckdb.TransactionException as error:
        if "no transaction is active" not in str(error):
            raise
