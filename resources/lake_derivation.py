"""Bringing a derived table up to date within a transaction of the lake, batch after batch."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import duckdb
import polars as pl

from pipelines.derivation_batches import (
    FIRST_DAY,
    LAST_DAY,
    Span,
    cut_by_rows,
    reached_query,
    rows_at_once,
    rows_of_scope,
    rows_of_sessions,
    session_batches,
    spans_of,
    summary_query,
    symbol_batches,
    whole_table_changes,
)
from pipelines.derivations import (
    INCOMING,
    SCOPE,
    Cut,
    Derivation,
    TableUpdate,
    changes_query,
    delete_statement,
    difference_query,
    merge_statement,
)
from pipelines.table import Table
from resources.lake_batches import StagedBatch, stage, stage_batch, stage_next
from resources.lake_build import build_tables

SUMMARY = "changed_keys"
"""Temporary table of what changed of each symbol."""

Updates = Mapping[str, TableUpdate]
"""What was done to each of the tables that are derived at once, by name."""


@dataclass(frozen=True)
class Deriving:
    """A derivation at work in an open transaction.

    Attributes:
        data_path: Folder of the lake's files, where a table that is empty is built in files.
    """

    connection: duckdb.DuckDBPyConnection
    derivation: Derivation
    data_path: str

    def from_scratch(self, *, is_new: bool) -> Updates:
        """Derive all rows, whatever is stored; of tables that are new, nothing is."""
        batches = self._all_batches()
        if is_new:
            return build_tables(self.connection, self.derivation, batches, data_path=self.data_path)
        parts = [self._write(changes) for changes in batches]
        if self.derivation.cut is not Cut.SCOPE:
            parts.append(self._remove_strangers(has_scope=bool(parts)))
        return {
            table.name: _total(
                table,
                parts,
                symbols=self._one(f"SELECT count(DISTINCT symbol) FROM {table.name}"),
            )
            for table in self.derivation.tables
        }

    def build_part(self, number: int, of: int) -> Updates:
        """Derive every n-th batch, the first of them being `number`, of tables that lack them."""
        batches = islice(self._all_batches(), number - 1, None, of)
        return build_tables(self.connection, self.derivation, batches, data_path=self.data_path)

    def follow(self, positions: Iterable[tuple[Table, int]], *, until: int) -> Updates | None:
        """Derive what depends on changes since some versions; None where nothing changed."""
        keys = " UNION ALL ".join(
            changes_query(source, since=since, until=until, reads=self._read_of(source))
            for source, since in positions
        )
        stage(self.connection, SUMMARY, summary_query(keys))
        symbols = self._one(f"SELECT count(DISTINCT symbol) FROM {SUMMARY}")
        if symbols == 0:
            return None
        parts = [self._write(changes) for changes in self._batches()]
        return {
            table.name: _total(table, parts, symbols=symbols) for table in self.derivation.tables
        }

    def _read_of(self, source: Table) -> tuple[str, ...]:
        """Return the columns of a source that the derivation reads; none stands for all."""
        return tuple(name for name in self.derivation.reads if name in source.column_names)

    def _batches(self) -> Iterator[pl.DataFrame]:
        """Yield the changes of each batch."""
        changes = self.connection.execute(reached_query(self.derivation, SUMMARY)).pl()
        if self.derivation.cut is Cut.SCOPE:
            yield from self._of_scope(changes)
        elif self.derivation.cut is Cut.SYMBOLS:
            newest = self._one(f"SELECT max(last_session) FROM {SUMMARY}")
            rows_before = self.derivation.reach.rows if self.derivation.reach else 0
            yield from symbol_batches(
                changes, newest=newest, rows_before=rows_before, most=self._most
            )
        else:
            for span in spans_of(changes):
                yield from self._of_sessions(span, changes["symbol"].unique())

    def _of_scope(self, changes: pl.DataFrame) -> Iterator[pl.DataFrame]:
        """Yield the scope of all changes, some symbols at a time."""
        stage_batch(self.connection, self.derivation, changes)
        sized = self.connection.sql(rows_of_scope(self._counted)).pl()
        yield from cut_by_rows(sized, most=self._most)

    def _of_sessions(self, span: Span, symbols: pl.Series) -> Iterator[pl.DataFrame]:
        """Yield changes that reach every session of a span, some sessions at a time."""
        sizes = self.connection.execute(rows_of_sessions(self._counted, span)).pl()
        for batch in session_batches(span, sizes, most=self._most):
            yield whole_table_changes(symbols, batch)

    def _all_batches(self) -> Iterator[pl.DataFrame]:
        """Yield changes of everything that the sources hold."""
        if self.derivation.cut is Cut.SESSIONS:
            symbols = self.connection.execute(
                f"SELECT DISTINCT symbol FROM {self._counted.name}"
            ).pl()
            if symbols.height:
                yield from self._of_sessions(self._held, symbols["symbol"])
            return
        held = " UNION ALL ".join(
            f"SELECT symbol, session FROM {source.name}" for source in self.derivation.sources
        )
        is_cut = self.derivation.cut is Cut.SYMBOLS
        first = f"DATE '{FIRST_DAY}'" if is_cut else "min(session)"
        changes = self.connection.execute(
            f"SELECT symbol, {first} AS from_session, DATE '{LAST_DAY}' AS to_session, "
            f"count(*) AS rows FROM ({held}) GROUP BY symbol ORDER BY symbol"
        ).pl()
        if is_cut:
            yield from cut_by_rows(changes, most=self._most)
        elif changes.height:
            yield from self._of_scope(changes)

    def _write(self, changes: pl.DataFrame) -> Updates:
        """Write what a batch changes."""
        batch = stage_next(self.connection, self.derivation, changes)
        if not batch.symbols:
            return {}
        self.connection.register("derived_rows", batch.rows().to_arrow())
        stage(self.connection, INCOMING, "SELECT * FROM derived_rows")
        self.connection.unregister("derived_rows")
        return {table.name: self._written(table, batch) for table in self.derivation.tables}

    def _written(self, table: Table, batch: StagedBatch) -> TableUpdate:
        """Write what the staged rows of a batch change in a table."""
        deleted = self._one(delete_statement(table, within=batch.within))
        inserted, updated = write_incoming(self.connection, table, within=batch.within)
        return TableUpdate(table.name, inserted, updated, deleted, batch.symbols)

    def _remove_strangers(self, *, has_scope: bool) -> Updates:
        """Delete the rows of symbols that no source has any more.

        What a scope names is no stranger: the market is a symbol of no source.
        """
        names = [one.name for one in self.derivation.sources] + ([SCOPE] if has_scope else [])
        known = " UNION ".join(f"SELECT symbol FROM {name}" for name in names)
        return {
            table.name: TableUpdate(
                table.name,
                0,
                0,
                self._one(f"DELETE FROM {table.name} WHERE symbol NOT IN ({known})"),
                0,
            )
            for table in self.derivation.tables
        }

    @property
    def _most(self) -> int:
        """Rows of a batch."""
        return rows_at_once(self.derivation.tables, self.derivation.cut)

    @property
    def _counted(self) -> Table:
        """The table whose rows measure a batch."""
        return (
            self.derivation.reach.counted_in
            if self.derivation.reach
            else self.derivation.sources[0]
        )

    @property
    def _held(self) -> Span:
        """The sessions that the source and the table have."""
        names = [table.name for table in (self._counted, *self.derivation.tables)]
        both = " UNION ALL ".join(
            f"SELECT min(session), max(session) FROM {name}" for name in names
        )
        found = [row for row in self.connection.execute(both).fetchall() if row[0]]
        return Span(min(row[0] for row in found), max(row[1] for row in found))

    def _one(self, query: str) -> Any:
        """Return the only value of a query."""
        row = self.connection.execute(query).fetchone()
        return row[0] if row else 0


def _total(table: Table, parts: Sequence[Updates], *, symbols: int) -> TableUpdate:
    """Return what all batches did to a table."""
    done = (part[table.name] for part in parts if table.name in part)
    return TableUpdate.total(table.name, done, symbols=symbols)


def write_incoming(
    connection: duckdb.DuckDBPyConnection, table: Table, *, within: str = "true"
) -> tuple[int, int]:
    """Write the staged rows that are new or differ; return how many of each."""
    row = connection.execute(difference_query(table, within=within)).fetchone()
    inserted, updated = (int(row[0]), int(row[1])) if row else (0, 0)
    if inserted or updated:
        connection.execute(merge_statement(table, within=within))
    return inserted, updated
