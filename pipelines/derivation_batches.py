"""What is derived at a time: batches of symbols or of sessions that memory can hold.

Changes of the last days and older ones are batches of their own: the everyday case reads the
newest sessions alone, whatever else was revised.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from pipelines.derivations import SCOPE, Cut, Derivation
from pipelines.table import Table

ROWS_AT_ONCE = 1_250_000
"""Rows that a batch reads at most, if it holds more than one symbol or session: some 400 MB with
the features that are made of them."""
VALUES_AT_ONCE = 40_000_000
"""Values that a batch makes at most, 160 MB of them: for several tables at once, fewer rows."""
SESSION_ROWS_AT_ONCE = 8_000_000
"""Rows of a batch that is cut by sessions: three years of 10,000 symbols. Its look-back lies in
files of the year before, of which nearly all is read for it."""
SESSION_VALUES_AT_ONCE = 80_000_000
RECENT = timedelta(days=31)
"""Changes that are older than this, counted from the newest one, are derived apart."""
FIRST_DAY, LAST_DAY = date(1, 1, 1), date(9999, 12, 31)
SESSIONS_A_DAY = 252 / 365.25


@dataclass(frozen=True)
class Span:
    """Sessions from one to another, both included."""

    first: date
    last: date


def summary_query(keys: str) -> str:
    """Return SQL for what changed of each symbol, older changes apart.

    Columns: symbol, is_recent, from_session, last_session.

    Args:
        keys: SQL for the symbol and session of everything that changed.
    """
    return f"""
        WITH keys AS ({keys}),
        newest AS (SELECT max(session) AS session FROM keys)
        SELECT keys.symbol, keys.session >= newest.session - {RECENT.days} AS is_recent,
               min(keys.session) AS from_session, max(keys.session) AS last_session
        FROM keys CROSS JOIN newest GROUP BY ALL"""


def reached_query(derivation: Derivation, changed: str) -> str:
    """Return SQL for `changed` with `to_session`, the last session that older changes reach."""
    if derivation.forward is None or derivation.reach is None:
        return (
            "SELECT symbol, bool_and(is_recent) AS is_recent, "
            f"min(from_session) AS from_session, DATE '{LAST_DAY}' AS to_session "
            f"FROM {changed} GROUP BY symbol"
        )
    # min(x, n) keeps the n earliest sessions in a heap: no sort over the history.
    return f"""
        WITH reached AS (
            SELECT bar.symbol, list_max(min(bar.session, {max(derivation.forward, 1)})) AS session
            FROM {derivation.reach.counted_in.name} AS bar JOIN {changed} AS old USING (symbol)
            WHERE NOT old.is_recent AND bar.session > old.last_session
            GROUP BY bar.symbol
        )
        SELECT old.symbol, old.is_recent, old.from_session,
               CASE WHEN old.is_recent THEN DATE '{LAST_DAY}'
                    ELSE coalesce(reached.session, old.last_session) END AS to_session
        FROM {changed} AS old LEFT JOIN reached USING (symbol)"""


def symbol_batches(
    changes: pl.DataFrame, *, newest: date, rows_before: int, most: int
) -> Iterator[pl.DataFrame]:
    """Yield the changes of some symbols at a time, older ones first.

    Args:
        changes: symbol, is_recent, from_session, to_session.
        newest: The newest session of the sources.
        rows_before: Rows of a symbol that are read before its first change.
        most: Rows of a batch.
    """
    until = pl.min_horizontal("to_session", pl.lit(newest))
    days = (until - pl.col("from_session")).dt.total_days().clip(0) + 1
    sized = changes.with_columns(rows=days * SESSIONS_A_DAY + rows_before)
    for is_recent in (False, True):
        yield from cut_by_rows(sized.filter(is_recent=is_recent).sort("symbol"), most=most)


def rows_at_once(tables: Sequence[Table], cut: Cut) -> int:
    """Return how many rows a batch should read at most that fills these tables."""
    columns = sum(len(table.value_names) for table in tables)
    if cut is Cut.SESSIONS:
        return min(SESSION_ROWS_AT_ONCE, SESSION_VALUES_AT_ONCE // columns)
    return min(ROWS_AT_ONCE, VALUES_AT_ONCE // columns)


def cut_by_rows(parts: pl.DataFrame, *, most: int) -> Iterator[pl.DataFrame]:
    """Cut parts in order where a batch has about so many rows, by their column `rows`."""
    if not parts.is_empty():
        number = (pl.col("rows").cum_sum() // most).alias("batch")
        batches = parts.with_columns(number).partition_by("batch", maintain_order=True)
        yield from (batch.drop("batch", "rows") for batch in batches)


def spans_of(changes: pl.DataFrame) -> list[Span]:
    """Return the spans of sessions that changes reach, near ones as one."""
    spans: list[Span] = []
    ranges = changes.select("from_session", "to_session").unique().sort("from_session")
    for first, last in ranges.iter_rows():
        if spans and first - RECENT <= spans[-1].last:
            spans[-1] = Span(spans[-1].first, max(spans[-1].last, last))
        else:
            spans.append(Span(first, last))
    return spans


def rows_of_sessions(table: Table, span: Span) -> str:
    """Return SQL for how many rows each session of a span has: session, rows."""
    return (
        f"SELECT session, count(*) AS rows FROM {table.name} "
        f"WHERE session BETWEEN DATE '{span.first}' AND DATE '{span.last}' "
        "GROUP BY session ORDER BY session"
    )


def rows_of_scope(table: Table) -> str:
    """Return SQL for the scope with about how many rows each symbol of it has: `rows`."""
    return (
        f"SELECT scope.symbol, from_session, to_session, count(bar.symbol) AS rows "
        f"FROM {SCOPE} AS scope LEFT JOIN {table.name} AS bar ON bar.symbol = scope.symbol "
        "AND bar.session >= from_session GROUP BY ALL ORDER BY scope.symbol"
    )


def session_batches(span: Span, sizes: pl.DataFrame, *, most: int) -> Iterator[Span]:
    """Cut a span of sessions where a batch has about `most` rows; nothing lies in between.

    As files hold years, batches are whole years where those have no more rows.

    Args:
        span: From the first change to the last session it reaches.
        sizes: session and rows of the sessions of the span that have any, in order.
        most: Rows of a batch.
    """
    firsts, held = list[date](), 0
    for first, rows in _pieces(sizes, most=most):
        if not firsts or held + rows > most:
            firsts.append(first)
            held = 0
        held += rows
    starts = [span.first, *firsts[1:]]
    ends = [*(first - timedelta(days=1) for first in firsts[1:]), span.last]
    yield from (Span(first, end) for first, end in zip(starts, ends, strict=True))


def _pieces(sizes: pl.DataFrame, *, most: int) -> Iterator[tuple[date, int]]:
    """Yield first session and rows of each year, and of parts of a year that has too many rows."""
    year = pl.col("session").dt.year()
    part = pl.col("rows").cum_sum().over(year) // most
    is_whole = pl.col("rows").sum().over(year) <= most
    pieces = sizes.group_by(
        year.alias("year"),
        pl.when(is_whole).then(0).otherwise(part).alias("part"),
        maintain_order=True,
    ).agg(pl.col("session").first(), pl.col("rows").sum())
    yield from pieces.select("session", "rows").iter_rows()


def condition_on(symbols: Sequence[str], span: Span, *, relation: str) -> str:
    """Return the condition that rows of a relation lie within some symbols and sessions.

    Literals, so that files and row groups outside are not read.
    """
    low, high = (name.replace("'", "''") for name in (min(symbols), max(symbols)))
    return (
        f"{relation}.session BETWEEN DATE '{span.first}' AND DATE '{span.last}' "
        f"AND {relation}.symbol BETWEEN '{low}' AND '{high}'"
    )


def whole_table_changes(symbols: Iterable[str], span: Span) -> pl.DataFrame:
    """Return changes that reach every session of some symbols within a span."""
    return pl.DataFrame({"symbol": symbols}, schema={"symbol": pl.String}).with_columns(
        from_session=pl.lit(span.first), to_session=pl.lit(span.last)
    )
