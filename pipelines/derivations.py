"""State tables as data: what each is derived from, and how a change in a source reaches it.

A derived table is brought up to date by reading the change feed of its sources since it last did,
recomputing the rows that depend on a change, and writing only those that differ. The text here is
SQL for the lake; `resources.lake_derivation` runs it, batch after batch, in one transaction.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import polars as pl

from pipelines.table import Table

CHANGES = "changes"
"""Relation that a query may read: `symbol`, `from_session`, the first session that changed, and
`to_session`, the last one that a change can reach."""

INCOMING = "incoming"
"""Relation of the rows that a table should hold within the scope of the changes."""

SCOPE = "scope"
"""Relation like `changes`: the rows of those sessions that `incoming` replaces."""

STARTS = "starts"
"""Relation like `scope` with `start`, the earliest session of each symbol that is read."""


class Cut(StrEnum):
    """What one batch of a derivation may be cut to, the others not being there.

    SCOPE is for what the rows of all symbols tell of one: the scope is made of all changes, then
    cut by symbols.
    """

    SYMBOLS = "symbols"
    SESSIONS = "sessions"
    SCOPE = "scope"


@dataclass(frozen=True)
class Reach:
    """How far before the scope a query reads.

    The query reads `<table>_in_reach` in place of each table: its rows, and `is_wanted`, whether a
    row is of the scope.

    Attributes:
        rows: Rows of a symbol before the first one of the scope; all, where there are fewer.
        counted_in: The table whose rows are counted.
        tables: The tables that are read so far back.
    """

    rows: int
    counted_in: Table
    tables: tuple[Table, ...]


@dataclass(frozen=True)
class Derivation:
    """How a state table keyed by (symbol, session) follows from its sources.

    Attributes:
        table: What is derived.
        sources: Tables with `symbol` and `session`, whose changes are followed.
        query: SQL for the rows of the scope; may read `changes` and every table of the lake.
        scope: SQL for the part of the table that the query's rows replace.
        transform: What SQL cannot say, applied to the query's frame.
        revision: Another one when `transform` gives other rows than before.
        reach: How far back the query reads, None for all of the tables that it names.
        cut: What the query may be asked for by itself. Of sessions, all their symbols come.
        forward: Rows of a symbol after a changed one that depend on it; None for all.
        reads: Columns of the source on which the rows depend; empty for all.
        beside: Further tables that the same rows fill, each with the columns that it has.
        prepared: Relations that the query reads, by name, each made once of the whole scope.
    """

    table: Table
    sources: tuple[Table, ...]
    query: str
    scope: str = f"SELECT symbol, from_session, to_session FROM {CHANGES}"
    transform: Callable[[pl.DataFrame], pl.DataFrame] | None = None
    revision: str = "1"
    reach: Reach | None = None
    cut: Cut = Cut.SCOPE
    forward: int | None = None
    reads: tuple[str, ...] = ()
    beside: tuple[Table, ...] = ()
    prepared: tuple[tuple[str, str], ...] = ()

    @property
    def tables(self) -> tuple[Table, ...]:
        """All tables that are derived."""
        return (self.table, *self.beside)

    @property
    def recipe(self) -> str:
        """Hash of all that decides the rows; another one, and the table is derived from scratch."""
        columns = [(column.name, column.type) for column in self.table.columns]
        rows = [self.forward, self.reach and self.reach.rows]
        prepared = [query for _, query in self.prepared]
        recipe = "\n".join(
            [self.query, self.scope, *prepared, repr(columns), repr(rows), self.revision]
        )
        return hashlib.sha256(recipe.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Lot:
    """Derivations from the same sources, of which those in the same state need one reading.

    Attributes:
        derivations: Each table's own; by its recipe the table's position is noted.
        joined: Returns the one derivation that fills some of the tables, by their names.
    """

    derivations: tuple[Derivation, ...]
    joined: Callable[[Sequence[str]], Derivation]

    @classmethod
    def alone(cls, derivation: Derivation) -> "Lot":
        """Return the lot of a single derivation."""
        return cls((derivation,), lambda _: derivation)

    @property
    def names(self) -> str:
        """The names of the tables, for the words of a commit."""
        return ", ".join(derivation.table.name for derivation in self.derivations)

    @property
    def sources(self) -> tuple[Table, ...]:
        """The tables whose changes are followed."""
        return self.derivations[0].sources


@dataclass(frozen=True)
class TableUpdate:
    """What bringing a table up to date did to it."""

    table: str
    inserted: int
    updated: int
    deleted: int
    symbols: int

    @property
    def touched(self) -> int:
        """Rows that were written or removed."""
        return self.inserted + self.updated + self.deleted

    @classmethod
    def total(cls, table: str, parts: Iterable["TableUpdate"], *, symbols: int) -> "TableUpdate":
        """Return what batches of so many different symbols did together."""
        done = list(parts)
        return cls(
            table,
            sum(part.inserted for part in done),
            sum(part.updated for part in done),
            sum(part.deleted for part in done),
            symbols,
        )


def changes_query(
    source: Table, *, since: int | None, until: int, reads: tuple[str, ...] = ()
) -> str:
    """Return SQL for the keys of a source that changed, symbol and session.

    Args:
        source: The table whose changes are asked for.
        since: Lake version that was taken in before; None asks for everything.
        until: Lake version to read up to.
        reads: The columns whose changes count; empty for all.
    """
    if since is None:
        return f"SELECT symbol, session FROM {source.name}"
    if since >= until:
        return f"SELECT symbol, session FROM {source.name} WHERE false"
    feed = f"lake.table_changes('{source.name}', {since + 1}, {until})"
    if not reads:
        return f"SELECT symbol, session FROM {feed}"
    # Compaction tells an update as a row that went and one that came: both are counted alike.
    comes = "change_type IN ('insert', 'update_postimage')"
    return f"""
        SELECT symbol, session FROM {feed}
        GROUP BY symbol, session, {", ".join(reads)}
        HAVING sum(CASE WHEN {comes} THEN 1 ELSE -1 END) <> 0"""


def delete_statement(table: Table, *, within: str = "true") -> str:
    """Return SQL that removes what lies within the scope and should no longer be there.

    `within` is a condition on `stored` that all rows of the scope meet: files outside are not read.
    """
    return f"""
        DELETE FROM {table.name} AS stored
        WHERE {within} AND EXISTS (
            SELECT 1 FROM {SCOPE}
            WHERE {SCOPE}.symbol = stored.symbol
              AND stored.session BETWEEN {SCOPE}.from_session AND {SCOPE}.to_session
        ) AND NOT EXISTS (
            SELECT 1 FROM {INCOMING} WHERE {_same_key(table, INCOMING, "stored")}
        )"""


def difference_query(table: Table, *, within: str = "true") -> str:
    """Return SQL that counts the incoming rows that are new and those that differ."""
    is_new = f"stored.{table.key[0]} IS NULL"
    same = f"{_same_key(table, INCOMING, 'stored')} AND {within}"
    return f"""
        SELECT count(*) FILTER ({is_new}) AS inserted,
               count(*) FILTER (NOT ({is_new}) AND ({_differs(table)})) AS updated
        FROM {INCOMING} LEFT JOIN {table.name} AS stored ON {same}
        """


def merge_statement(table: Table, *, within: str = "true") -> str:
    """Return SQL that writes the incoming rows that are new or differ, and no others.

    A merge of equal rows would still enter the change feed and wake every table downstream.
    """
    assignments = ", ".join(f"{name} = {INCOMING}.{name}" for name in table.value_names)
    columns = ", ".join(table.column_names)
    values = ", ".join(f"{INCOMING}.{name}" for name in table.column_names)
    same = f"{_same_key(table, INCOMING, 'stored')} AND {within}"
    return f"""
        MERGE INTO {table.name} AS stored USING {INCOMING} ON {same}
        WHEN MATCHED AND ({_differs(table)}) THEN UPDATE SET {assignments}
        WHEN NOT MATCHED THEN INSERT ({columns}) VALUES ({values})"""


def duplicate_key_query(table: Table, *, rows: str | None = None) -> str:
    """Return SQL that counts the keys that more than one row of a table has.

    Args:
        table: The table.
        rows: SQL that stands behind FROM for the rows that are looked at; None for all.
    """
    key = ", ".join(table.key)
    looked_at = rows or table.name
    return f"SELECT count(*) FROM (SELECT 1 FROM {looked_at} GROUP BY {key} HAVING count(*) > 1)"


def written_query(table: Table, *, since: int, until: int) -> str:
    """Return SQL for the rows of a table whose keys were written between two lake versions.

    All rows of such a key, so that one that is there twice is seen beside its older twin.
    """
    written = changes_query(table, since=since, until=until)
    return f"SELECT * FROM {table.name} SEMI JOIN ({written}) USING (symbol, session)"


def _same_key(table: Table, left: str, right: str) -> str:
    """Return the condition that two relations hold the same row."""
    return " AND ".join(f"{left}.{name} = {right}.{name}" for name in table.key)


def _differs(table: Table) -> str:
    """Return the condition that a stored row and an incoming one differ in a value."""
    return " OR ".join(
        f"stored.{name} IS DISTINCT FROM {INCOMING}.{name}" for name in table.value_names
    )
