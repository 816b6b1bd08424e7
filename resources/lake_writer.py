"""Reads and writes of one lake transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import duckdb
import polars as pl

from pipelines.derivations import (
    CHANGES,
    INCOMING,
    SCOPE,
    Derivation,
    TableUpdate,
    changes_query,
    delete_statement,
    difference_query,
    merge_statement,
)
from pipelines.tables import CONSUMER_POSITIONS, Table


@dataclass(frozen=True)
class LakeWriter:
    """An open transaction; it is committed by `Lake.commit`, or not at all."""

    connection: duckdb.DuckDBPyConnection

    def read(self, query: str, parameters: Mapping[str, object] | None = None) -> pl.DataFrame:
        """Return the rows of a query, as this transaction sees them."""
        return self.connection.sql(query, params=dict(parameters or {})).pl()

    def merge(self, table: Table, rows: pl.DataFrame) -> TableUpdate:
        """Insert the rows whose key is new and update those that differ; the others stay."""
        self.connection.register("rows_to_merge", rows.select(table.column_names).to_arrow())
        self._stage(INCOMING, "SELECT * FROM rows_to_merge")
        self.connection.unregister("rows_to_merge")
        return self._merge_incoming(table, deleted=0)

    def replace(self, table: Table, rows: pl.DataFrame, *, sessions: Sequence[date]) -> None:
        """Make a table hold exactly these rows for some sessions."""
        self.connection.execute(
            f"DELETE FROM {table.name} WHERE list_contains($sessions, session)",
            {"sessions": list(sessions)},
        )
        self.append(table, rows)

    def append(self, table: Table, rows: pl.DataFrame) -> None:
        """Add rows to a table."""
        self.connection.register("rows_to_append", rows.select(table.column_names).to_arrow())
        self.connection.execute(f"INSERT INTO {table.name} BY NAME FROM rows_to_append")
        self.connection.unregister("rows_to_append")

    def derive(self, derivation: Derivation) -> TableUpdate:
        """Bring a derived table up to date with its sources."""
        table = derivation.table
        version = self.version()
        symbols = self._stage_changes(derivation, until=version)
        if symbols == 0:
            return TableUpdate(table.name, 0, 0, 0, 0)
        self._stage(SCOPE, derivation.scope)
        self._stage_incoming(derivation)
        deleted = self.connection.execute(delete_statement(table)).fetchone()
        update = self._merge_incoming(table, deleted=int(deleted[0]) if deleted else 0)
        for source in derivation.sources:
            self.advance(table.name, source.name, position=version, recipe=derivation.recipe)
        return update

    def position(self, consumer: str, source: str, *, recipe: str | None = None) -> int | None:
        """Return how far a table has read a source; None before the first time.

        What was derived by another recipe counts as never read.
        """
        row = self.connection.execute(
            "SELECT position FROM consumer_positions "
            "WHERE consumer = $consumer AND source = $source "
            "AND recipe IS NOT DISTINCT FROM $recipe",
            {"consumer": consumer, "source": source, "recipe": recipe},
        ).fetchone()
        return None if row is None else int(row[0])

    def advance(
        self, consumer: str, source: str, *, position: int, recipe: str | None = None
    ) -> None:
        """Note how far a table has now read a source, and by which recipe."""
        schema = dict.fromkeys(CONSUMER_POSITIONS.column_names, pl.String()) | {
            "position": pl.Int64()
        }
        row = {"consumer": consumer, "source": source, "position": position, "recipe": recipe}
        self.merge(CONSUMER_POSITIONS, pl.DataFrame([row], schema=schema))

    def version(self) -> int:
        """Return the lake version that this transaction reads."""
        row = self.connection.execute("SELECT id FROM lake.current_snapshot()").fetchone()
        return int(row[0]) if row else 0

    def _stage_changes(self, derivation: Derivation, *, until: int) -> int:
        """Stage the first changed session of each symbol; return how many symbols changed."""
        table, recipe = derivation.table, derivation.recipe
        parts = [
            changes_query(
                source, since=self.position(table.name, source.name, recipe=recipe), until=until
            )
            for source in derivation.sources
        ]
        query = " UNION ALL ".join(parts)
        self._stage(
            CHANGES,
            f"SELECT symbol, min(session) AS from_session FROM ({query}) GROUP BY symbol",
        )
        row = self.connection.execute(f"SELECT count(*) FROM {CHANGES}").fetchone()
        return int(row[0]) if row else 0

    def _stage_incoming(self, derivation: Derivation) -> None:
        """Stage the rows that the scope should hold."""
        if derivation.transform is None:
            self._stage(INCOMING, derivation.query)
            return
        rows = derivation.transform(self.connection.sql(derivation.query).pl())
        self.connection.register("derived_rows", rows.to_arrow())
        self._stage(INCOMING, "SELECT * FROM derived_rows")
        self.connection.unregister("derived_rows")

    def _stage(self, name: str, query: str) -> None:
        """Keep a query's rows in a temporary table, which no transaction of the lake sees."""
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")

    def _merge_incoming(self, table: Table, *, deleted: int) -> TableUpdate:
        """Write the staged rows that are new or differ."""
        row = self.connection.execute(difference_query(table)).fetchone()
        inserted, updated = (int(row[0]), int(row[1])) if row else (0, 0)
        if inserted or updated:
            self.connection.execute(merge_statement(table))
        symbols = 0
        if "symbol" in table.key:
            counted = self.connection.execute(
                f"SELECT count(DISTINCT symbol) FROM {INCOMING}"
            ).fetchone()
            symbols = int(counted[0]) if counted else 0
        return TableUpdate(table.name, inserted, updated, deleted, symbols)
