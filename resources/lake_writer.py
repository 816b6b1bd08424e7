"""Reads and writes of one lake transaction."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import duckdb
import polars as pl

from pipelines.derivations import INCOMING, Derivation, Lot, TableUpdate
from pipelines.table import IN_SESSIONS, Table
from pipelines.tables import CONSUMER_POSITIONS
from resources.lake_batches import stage
from resources.lake_derivation import Deriving, write_incoming

_State = tuple[tuple[int | None, ...], bool]
"""How far a table has read each of its sources, and whether it waits to be built."""


@dataclass(frozen=True)
class LakeWriter:
    """An open transaction; it is committed by `Lake.commit`, or not at all."""

    connection: duckdb.DuckDBPyConnection
    data_path: str = ""

    def read(self, query: str, parameters: Mapping[str, object] | None = None) -> pl.DataFrame:
        """Return the rows of a query, as this transaction sees them."""
        return self.connection.execute(query, dict(parameters or {})).pl()

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
        return self.derive_lot(Lot.alone(derivation))[derivation.table.name]

    def derive_lot(self, lot: Lot) -> dict[str, TableUpdate]:
        """Bring derived tables up to date; those in the same state are made of one reading."""
        updates = dict[str, TableUpdate]()
        for positions, derivations in self._by_state(lot).items():
            joint = lot.joined([derivation.table.name for derivation in derivations])
            updates |= self._derived(joint, derivations, positions)
        return updates

    def _by_state(self, lot: Lot) -> dict[_State, list[Derivation]]:
        """Return derivations by what their tables have taken in, and whether they are empty."""
        noted = self.connection.execute("FROM consumer_positions").fetchall()
        known = {(consumer, source, recipe): until for consumer, source, until, recipe in noted}
        positions = {
            derivation: tuple(
                known.get((derivation.table.name, source.name, derivation.recipe))
                for source in derivation.sources
            )
            for derivation in lot.derivations
        }
        unread = [one.table.name for one, taken_in in positions.items() if None in taken_in]
        filled = self._filled(unread)
        states = defaultdict[_State, list[Derivation]](list)
        for derivation, taken_in in positions.items():
            name = derivation.table.name
            states[taken_in, name in unread and name not in filled].append(derivation)
        return states

    def _filled(self, tables: Sequence[str]) -> set[str]:
        """Return which of some tables hold a row."""
        each = [f"SELECT '{name}' WHERE EXISTS (FROM {name})" for name in tables]
        query = " UNION ALL ".join(each)
        return {name for (name,) in self.connection.execute(query).fetchall()} if each else set()

    def _derived(
        self, joint: Derivation, derivations: Sequence[Derivation], state: _State
    ) -> Mapping[str, TableUpdate]:
        """Bring tables up to date that are in the same state, and note how far they have read."""
        version, (positions, is_new) = self.version(), state
        deriving = Deriving(self.connection, joint, self.data_path)
        pairs = zip(joint.sources, positions, strict=True)
        known = [(source, since) for source, since in pairs if since is not None]
        if len(known) == len(positions):
            updates = deriving.follow(known, until=version)
        else:
            updates = deriving.from_scratch(is_new=is_new)
        if updates is None:
            return {table.name: TableUpdate(table.name, 0, 0, 0, 0) for table in joint.tables}
        self._note(
            (derivation.table.name, source.name, version, derivation.recipe)
            for derivation in derivations
            for source in derivation.sources
        )
        return updates

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
        self._note([(consumer, source, position, recipe)])

    def version(self) -> int:
        """Return the lake version that this transaction reads."""
        row = self.connection.execute("SELECT id FROM lake.current_snapshot()").fetchone()
        return int(row[0]) if row else 0

    def _note(self, positions: Iterable[tuple[str, str, int, str | None]]) -> None:
        """Note consumer, source, position and recipe of some tables."""
        schema = dict.fromkeys(CONSUMER_POSITIONS.column_names, pl.String()) | {
            "position": pl.Int64()
        }
        rows = pl.DataFrame(list(positions), schema=schema, orient="row")
        self.merge(CONSUMER_POSITIONS, rows)


def _within(table: Table, rows: pl.DataFrame) -> str:
    """Return a condition on `stored` that all rows meet, so that few files are read."""
    if "session" not in table.key or rows.is_empty():
        return "true"
    first, last = rows.select(first=pl.col("session").min(), last=pl.col("session").max()).row(0)
    return f"stored.session BETWEEN DATE '{first}' AND DATE '{last}'"
