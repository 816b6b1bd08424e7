"""Reads and writes of one lake transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import duckdb
import polars as pl

from pipelines.derivations import INCOMING, Derivation, TableUpdate
from pipelines.table import IN_SESSIONS, Table
from pipelines.tables import CONSUMER_POSITIONS
from resources.lake_batches import stage
from resources.lake_derivation import Deriving, write_incoming


@dataclass(frozen=True)
class LakeWriter:
    """An open transaction; it is committed by `Lake.commit`, or not at all."""

    connection: duckdb.DuckDBPyConnection
    data_path: str = ""

    def read(self, query: str, parameters: Mapping[str, object] | None = None) -> pl.DataFrame:
        """Return the rows of a query, as this transaction sees them."""
        return self.connection.sql(query, params=dict(parameters or {})).pl()

    def merge(self, table: Table, rows: pl.DataFrame) -> TableUpdate:
        """Insert the rows whose key is new and update those that differ; the others stay."""
        self.connection.register("rows_to_merge", rows.select(table.column_names).to_arrow())
        stage(self.connection, INCOMING, "SELECT * FROM rows_to_merge")
        self.connection.unregister("rows_to_merge")
        inserted, updated = write_incoming(self.connection, table, within=_within(table, rows))
        symbols = rows["symbol"].n_unique() if "symbol" in table.key else 0
        return TableUpdate(table.name, inserted, updated, 0, symbols)

    def replace(self, table: Table, rows: pl.DataFrame, *, sessions: Sequence[date]) -> None:
        """Make a table hold exactly these rows for some sessions."""
        self.connection.execute(
            f"DELETE FROM {table.name} WHERE {IN_SESSIONS}",
            {"sessions": list(sessions)},
        )
        self.append(table, rows)

    def append(self, table: Table, rows: pl.DataFrame) -> None:
        """Add rows to a table."""
        self.connection.register("rows_to_append", rows.select(table.column_names).to_arrow())
        self.connection.execute(f"INSERT INTO {table.name} BY NAME FROM rows_to_append")
        self.connection.unregister("rows_to_append")

    def delete(self, table: Table, keys: pl.DataFrame) -> int:
        """Remove the rows of a table that have one of these keys, and return how many."""
        if keys.is_empty():
            return 0
        self.connection.register("keys_to_delete", keys.select(table.key).to_arrow())
        same = " AND ".join(f"wanted.{name} = stored.{name}" for name in table.key)
        deleted = self.connection.execute(
            f"DELETE FROM {table.name} AS stored "
            f"WHERE EXISTS (SELECT 1 FROM keys_to_delete AS wanted WHERE {same})"
        ).fetchone()
        self.connection.unregister("keys_to_delete")
        return int(deleted[0]) if deleted else 0

    def derive(self, derivation: Derivation) -> TableUpdate:
        """Bring a derived table up to date with its sources."""
        table, version = derivation.table, self.version()
        positions = {
            source: self.position(table.name, source.name, recipe=derivation.recipe)
            for source in derivation.sources
        }
        deriving = Deriving(self.connection, derivation, self.data_path)
        known = [(source, since) for source, since in positions.items() if since is not None]
        if len(known) == len(positions):
            update = deriving.follow(known, until=version)
        else:
            update = deriving.from_scratch()
        if update is None:
            return TableUpdate(table.name, 0, 0, 0, 0)
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


def _within(table: Table, rows: pl.DataFrame) -> str:
    """Return a condition on `stored` that all rows meet, so that few files are read."""
    if "session" not in table.key or rows.is_empty():
        return "true"
    first, last = rows.select(first=pl.col("session").min(), last=pl.col("session").max()).row(0)
    return f"stored.session BETWEEN DATE '{first}' AND DATE '{last}'"
