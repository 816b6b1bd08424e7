"""Expectations of a table as data: each gives an expectation of the library and a line of SQL.

The library judges the newest rows and says what it saw in words that a reader of the UI knows. It
needs them in memory, so the SQL, one query, sweeps the table as a whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pipelines.table import Table


class Expectation(Protocol):
    """What is expected of every row."""

    @property
    def name(self) -> str:
        """The expectation in words, unique within its suite."""

    def for_library(self) -> Any:
        """Return it as an expectation of the library."""

    def rows_against(self, table: str) -> str:
        """Return SQL for an aggregate over a table: how many of its rows break it."""


@dataclass(frozen=True)
class Within:
    """A figure lies within bounds; where it is null, nothing is expected of it."""

    column: str
    low: float | None = None
    high: float | None = None
    is_low_excluded: bool = False

    @property
    def name(self) -> str:
        """The bounds in words."""
        low = "" if self.low is None else f" {'>' if self.is_low_excluded else '≥'} {self.low:g}"
        high = "" if self.high is None else f" ≤ {self.high:g}"
        return f"{self.column}{low}{' and' if low and high else ''}{high}"

    def for_library(self) -> Any:
        """Return it as an expectation of the library."""
        from great_expectations import expectations as gxe

        return gxe.ExpectColumnValuesToBeBetween(
            column=self.column,
            min_value=self.low,
            max_value=self.high,
            strict_min=self.is_low_excluded,
        )

    def rows_against(self, table: str) -> str:  # noqa: ARG002  the key alone needs it
        """Return SQL for how many rows lie out of bounds, or are no number."""
        broken = [f"isnan({self.column}::DOUBLE)"]
        if self.low is not None:
            broken.append(f"{self.column} {'<=' if self.is_low_excluded else '<'} {self.low!r}")
        if self.high is not None:
            broken.append(f"{self.column} > {self.high!r}")
        return f"count(*) FILTER ({' OR '.join(broken)})"


@dataclass(frozen=True)
class InOrder:
    """One column is at least another, or greater; where either is null, nothing is expected."""

    greater: str
    lesser: str
    is_strict: bool = False

    @property
    def name(self) -> str:
        """The order in words."""
        return f"{self.greater} {'>' if self.is_strict else '≥'} {self.lesser}"

    def for_library(self) -> Any:
        """Return it as an expectation of the library."""
        from great_expectations import expectations as gxe

        return gxe.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A=self.greater,
            column_B=self.lesser,
            or_equal=not self.is_strict,
            ignore_row_if="either_value_is_missing",
        )

    def rows_against(self, table: str) -> str:  # noqa: ARG002  the key alone needs it
        """Return SQL for how many rows are in another order."""
        return f"count(*) FILTER ({self.greater} {'<=' if self.is_strict else '<'} {self.lesser})"


@dataclass(frozen=True)
class OneOf:
    """A text is one of a few."""

    column: str
    values: tuple[str, ...]

    @property
    def name(self) -> str:
        """The texts in words."""
        return f"{self.column} is one of {', '.join(self.values)}"

    def for_library(self) -> Any:
        """Return it as an expectation of the library."""
        from great_expectations import expectations as gxe

        return gxe.ExpectColumnValuesToBeInSet(column=self.column, value_set=list(self.values))

    def rows_against(self, table: str) -> str:  # noqa: ARG002  the key alone needs it
        """Return SQL for how many rows have another text."""
        values = ", ".join(f"'{value}'" for value in self.values)
        return f"count(*) FILTER ({self.column} NOT IN ({values}))"


@dataclass(frozen=True)
class OneRowEach:
    """No key comes twice: the lake has no primary keys."""

    key: tuple[str, ...]

    @property
    def name(self) -> str:
        """The key in words."""
        return f"one row for each {', '.join(self.key)}"

    def for_library(self) -> Any:
        """Return it as an expectation of the library."""
        from great_expectations import expectations as gxe

        return gxe.ExpectCompoundColumnsToBeUnique(column_list=list(self.key))

    def rows_against(self, table: str) -> str:
        """Return SQL for how many rows share their key with another."""
        key = ", ".join(self.key)
        return (
            "(SELECT coalesce(sum(rows), 0)::BIGINT FROM "
            f"(SELECT count(*) AS rows FROM {table} GROUP BY {key} HAVING count(*) > 1))"
        )


@dataclass(frozen=True)
class Suite:
    """What is expected of the rows of one table."""

    table: Table
    expectations: Sequence[Expectation]

    def sweep_query(self, written: str | None = None) -> str:
        """Return SQL for how many rows break each expectation, in order.

        Args:
            written: SQL for the rows that are looked at; None for the whole table.
        """
        rows = self.table.name if written is None else "written"
        staged = "" if written is None else f"WITH written AS MATERIALIZED ({written}) "
        counts = ", ".join(one.rows_against(rows) for one in self.expectations)
        return (
            f"{staged}SELECT unnest(counts) AS rows_against "
            f"FROM (SELECT [{counts}] AS counts FROM {rows})"
        )

    def newest_query(self, written: str | None = None) -> str:
        """Return SQL for the rows of the newest sessions, about `$rows` of them at most.

        Sessions are counted by the exchange's calendar and symbols by the newest bars, so that no
        scan of the whole table is sorted.

        Args:
            written: SQL for the rows that are looked at; None for the whole table.
        """
        if written is not None:
            return f"SELECT * FROM ({written}) ORDER BY session DESC, symbol LIMIT $rows"
        return f"""
            WITH symbols AS (SELECT greatest(count(DISTINCT symbol), 1) AS number
                             FROM {self.table.name}),
            aged AS (SELECT session, row_number() OVER (ORDER BY session DESC) AS age
                     FROM exchange_sessions)
            SELECT * FROM {self.table.name} WHERE session > coalesce(
                (SELECT max(session) FROM aged, symbols WHERE age > $rows // number),
                DATE '0001-01-01'
            )"""
