"""State tables as data: what each is derived from, and how a change in a source reaches it.

A derived table is brought up to date by reading the change feed of its sources since it last did,
recomputing the rows that depend on a change, and writing only those that differ. The text here is
SQL for the lake; `resources.lake` runs it in one transaction.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from pipelines.tables import Table

CHANGES = "changes"
"""Relation that a query may read: `symbol`, and `from_session`, the first session that changed."""

INCOMING = "incoming"
"""Relation of the rows that a table should hold within the scope of the changes."""

SCOPE = "scope"
"""Relation like `changes`: the rows from `from_session` on that `incoming` replaces."""


@dataclass(frozen=True)
class Derivation:
    """How a state table keyed by (symbol, session) follows from its sources.

    Attributes:
        table: What is derived.
        sources: Tables with `symbol` and `session`, whose changes are followed.
        query: SQL for the rows of the scope; may read `changes` and every table of the lake.
        scope: SQL for the part of the table that the query's rows replace.
        transform: What SQL cannot say, applied to the query's frame.
        revision: Raised when `transform` gives other rows than before.
    """

    table: Table
    sources: tuple[Table, ...]
    query: str
    scope: str = f"SELECT symbol, from_session FROM {CHANGES}"
    transform: Callable[[pl.DataFrame], pl.DataFrame] | None = None
    revision: int = 1

    @property
    def recipe(self) -> str:
        """Hash of all that decides the rows; another one, and the table is derived from scratch."""
        columns = [(column.name, column.type) for column in self.table.columns]
        recipe = "\n".join([self.query, self.scope, repr(columns), str(self.revision)])
        return hashlib.sha256(recipe.encode()).hexdigest()[:16]


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


def changes_query(source: Table, *, since: int | None, until: int) -> str:
    """Return SQL for the first changed session of each symbol of a source.

    Args:
        source: The table whose changes are asked for.
        since: Lake version that was taken in before; None asks for everything.
        until: Lake version to read up to.
    """
    if since is None:
        relation = source.name
    elif since >= until:
        relation = f"(SELECT * FROM {source.name} WHERE false)"
    else:
        relation = f"lake.table_changes('{source.name}', {since + 1}, {until})"
    return f"SELECT symbol, session FROM {relation}"


def delete_statement(table: Table) -> str:
    """Return SQL that removes what lies within the scope and should no longer be there."""
    return f"""
        DELETE FROM {table.name} AS stored
        WHERE EXISTS (
            SELECT 1 FROM {SCOPE}
            WHERE {SCOPE}.symbol = stored.symbol AND stored.session >= {SCOPE}.from_session
        ) AND NOT EXISTS (
            SELECT 1 FROM {INCOMING} WHERE {_same_key(table, INCOMING, "stored")}
        )"""


def difference_query(table: Table) -> str:
    """Return SQL that counts the incoming rows that are new and those that differ."""
    is_new = f"stored.{table.key[0]} IS NULL"
    return f"""
        SELECT count(*) FILTER ({is_new}) AS inserted,
               count(*) FILTER (NOT ({is_new}) AND ({_differs(table)})) AS updated
        FROM {INCOMING} LEFT JOIN {table.name} AS stored ON {_same_key(table, INCOMING, "stored")}
        """


def merge_statement(table: Table) -> str:
    """Return SQL that writes the incoming rows that are new or differ, and no others.

    A merge of equal rows would still enter the change feed and wake every table downstream.
    """
    assignments = ", ".join(f"{name} = {INCOMING}.{name}" for name in table.value_names)
    columns = ", ".join(table.column_names)
    values = ", ".join(f"{INCOMING}.{name}" for name in table.column_names)
    return f"""
        MERGE INTO {table.name} AS stored USING {INCOMING} ON {_same_key(table, INCOMING, "stored")}
        WHEN MATCHED AND ({_differs(table)}) THEN UPDATE SET {assignments}
        WHEN NOT MATCHED THEN INSERT ({columns}) VALUES ({values})"""


def duplicate_key_query(table: Table) -> str:
    """Return SQL that counts the keys that more than one row of a table has."""
    key = ", ".join(table.key)
    return f"SELECT count(*) FROM (SELECT 1 FROM {table.name} GROUP BY {key} HAVING count(*) > 1)"


def _same_key(table: Table, left: str, right: str) -> str:
    """Return the condition that two relations hold the same row."""
    return " AND ".join(f"{left}.{name} = {right}.{name}" for name in table.key)


def _differs(table: Table) -> str:
    """Return the condition that a stored row and an incoming one differ in a value."""
    return " OR ".join(
        f"stored.{name} IS DISTINCT FROM {INCOMING}.{name}" for name in table.value_names
    )
