"""One version of the lake, to be read as if it were the newest. Nothing reaches the lake on disk.

It is laid out in memory: a view of each table at that version, or what a subclass puts in its
place. What is written goes to memory and is soon forgotten.
"""

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import ClassVar

import duckdb
import polars as pl
from pydantic import Field
from typing_extensions import override

from pipelines.nights import Night
from pipelines.table import Table, create_statement
from pipelines.tables import TABLES
from resources.lake import Lake
from resources.lake_attachment import attach_statements, connection_settings, load_extensions

_OPENED: dict[tuple[int, str], tuple[duckdb.DuckDBPyConnection, ExitStack]] = {}
_OPENING = threading.Lock()

HELD_QUERY = """
    SELECT table_name FROM __ducklake_metadata_kept.ducklake_table
    WHERE begin_snapshot <= $version AND (end_snapshot IS NULL OR end_snapshot > $version)
"""
"""The tables that a version has."""


class PastLake(Lake):
    """A lake in memory over one version of the lake on disk."""

    tells_changes: ClassVar[bool] = False

    lake_version: int = Field(description="Version of the lake that is read.")

    @override
    def read(
        self,
        query: str,
        parameters: Mapping[str, object] | None = None,
        *,
        version: int | None = None,
    ) -> pl.DataFrame:
        """Return the rows of a query; versions before this one are read from the lake on disk."""
        if version is None or version >= self.lake_version:
            return super().read(query.replace("{at}", ""), parameters)
        with self.connect() as connection:
            connection.execute("USE kept")
            text = query.replace("{at}", f"AT (VERSION => {version})")
            return connection.execute(text, dict(parameters or {})).pl()

    @override
    def version(self) -> int:
        """Return the version that is read."""
        return self.lake_version

    @override
    def _note_commit(
        self, connection: duckdb.DuckDBPyConnection, *, night: Night, message: str
    ) -> None:
        """Note nothing: memory keeps no log of what was committed."""

    def close(self) -> None:
        """Forget all that was written."""
        with _OPENING:
            opened = _OPENED.pop(self._key, None)
        if opened:
            opened[1].close()

    def _lay_out(self, connection: duckdb.DuckDBPyConnection, table: Table, *, kept: str) -> None:
        """Put a table in memory; `kept` is the clause that reads the lake's own at the version."""
        connection.execute(f"CREATE VIEW {table.name} AS {kept}")

    @property
    def _key(self) -> tuple[int, str]:
        """What names it in this process; resources are copied, their connection is not."""
        fields = sorted((name, str(getattr(self, name))) for name in type(self).model_fields)
        return os.getpid(), f"{type(self).__name__} {self.catalog.label} {fields}"

    @override
    @contextmanager
    def _reader(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open this version for one statement that reads."""
        with self.connect() as connection:
            yield connection

    @override
    def _attached(self) -> duckdb.DuckDBPyConnection:
        """Return this process's connection to this version, making it the first time."""
        with _OPENING:
            if self._key not in _OPENED:
                _OPENED[self._key] = self._open()
            return _OPENED[self._key][0]

    def _open(self) -> tuple[duckdb.DuckDBPyConnection, ExitStack]:
        """Attach the lake to read from, and lay its tables out in memory before it."""
        with ExitStack() as stack:
            connection = duckdb.connect(config=connection_settings(self.location))
            stack.callback(connection.close)
            load_extensions(connection, "ducklake", self.catalog.extension)
            for statement in attach_statements(self.location, name="kept", read_only=True):
                connection.execute(statement)
            connection.execute("SET TimeZone = 'UTC'; ATTACH ':memory:' AS lake; USE lake")
            held = connection.execute(HELD_QUERY, {"version": self.lake_version}).fetchall()
            for table in TABLES.values():
                if (table.name,) not in held:  # it came with a later Nightdesk
                    connection.execute(create_statement(table, catalog="lake"))
                    continue
                kept = f"FROM kept.{table.name} AT (VERSION => {self.lake_version})"
                self._lay_out(connection, table, kept=kept)
            return connection, stack.pop_all()
