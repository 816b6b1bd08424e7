"""The lake as a night found it, with what the night made of it taken out again.

State tables are read from the lake at the night's version; tables of a night's outputs are copies
in memory without the night's own rows, so that a replay has to make them. Nothing reaches the lake.
"""

import os
import threading
from collections.abc import Mapping
from contextlib import ExitStack

import duckdb
import polars as pl
from pydantic import Field
from typing_extensions import override

from pipelines.nights import Night
from pipelines.table import create_statement
from pipelines.tables import TABLES
from resources.lake import Lake
from resources.lake_attachment import attach_statements, load_extensions

OUTPUTS = (
    *("signal_scores", "regime_states", "track_records"),
    *("portfolio_forecasts", "portfolio_forecast_history"),
)
"""Tables that a night makes rows of by its session, from state and models."""

_OPENED: dict[tuple[int, str, int, str], tuple[duckdb.DuckDBPyConnection, ExitStack]] = {}
_OPENING = threading.Lock()


class ReplayedLake(Lake):
    """A lake in memory over one version of the lake on disk; what is written is soon forgotten."""

    lake_version: int = Field(description="Version of the lake that the night published.")
    session: str = Field(description="The night's session, ISO date; its outputs are left out.")

    @override
    def read(
        self,
        query: str,
        parameters: Mapping[str, object] | None = None,
        *,
        version: int | None = None,
    ) -> pl.DataFrame:
        """Return the rows of a query; there is one version, the night's."""
        return super().read(query.replace("{at}", ""), parameters)

    @override
    def version(self) -> int:
        """Return the version that is replayed."""
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

    @property
    def _key(self) -> tuple[int, str, int, str]:
        """What names a replay in this process; resources are copied, their connection is not."""
        return os.getpid(), self.catalog.label, self.lake_version, self.session

    @override
    def _attached(self) -> duckdb.DuckDBPyConnection:
        """Return this process's connection to the replay, making it the first time."""
        with _OPENING:
            if self._key not in _OPENED:
                _OPENED[self._key] = self._open()
            return _OPENED[self._key][0]

    def _open(self) -> tuple[duckdb.DuckDBPyConnection, ExitStack]:
        """Attach the lake to read from, and put the night's view of it in memory before it."""
        with ExitStack() as stack:
            connection = duckdb.connect(config={"extension_directory": self.extension_directory})
            stack.callback(connection.close)
            load_extensions(connection, "ducklake", self.catalog.extension)
            for statement in attach_statements(self.location, name="kept", read_only=True):
                connection.execute(statement)
            connection.execute("SET TimeZone = 'UTC'; ATTACH ':memory:' AS lake; USE lake")
            for name, table in TABLES.items():
                kept = f"FROM kept.{name} AT (VERSION => {self.lake_version})"
                if name not in OUTPUTS:
                    connection.execute(f"CREATE VIEW {name} AS {kept}")
                    continue
                connection.execute(create_statement(table, catalog="lake"))
                connection.execute(
                    f"INSERT INTO {name} BY NAME {kept} WHERE session <> $session::DATE",
                    {"session": self.session},
                )
            return connection, stack.pop_all()
