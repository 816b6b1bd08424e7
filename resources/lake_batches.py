"""One batch of a derivation: its changes, scope and reach staged, and the rows that follow."""

from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil

import duckdb
import polars as pl

from pipelines.derivation_batches import FIRST_DAY, LAST_DAY, Span, condition_on
from pipelines.derivations import CHANGES, SCOPE, STARTS, Cut, Derivation, Reach
from pipelines.table import Table

DAYS_A_SESSION = 365.25 / 250
"""Calendar days in which a symbol that trades every session has a row; a little more than real."""
SLACK = timedelta(days=10)


@dataclass(frozen=True)
class StagedBatch:
    """A batch whose changes and scope are temporary tables of the connection.

    Attributes:
        within: Condition on `stored` that all rows of the scope meet.
    """

    connection: duckdb.DuckDBPyConnection
    derivation: Derivation
    within: str
    symbols: int

    def read(self) -> pl.DataFrame:
        """Return the rows of the query."""
        return self.connection.execute(self.derivation.query).pl()

    def rows(self) -> pl.DataFrame:
        """Return what the scope should hold."""
        rows = self.read()
        return rows if self.derivation.transform is None else self.derivation.transform(rows)


def stage_batch(
    connection: duckdb.DuckDBPyConnection, derivation: Derivation, changes: pl.DataFrame
) -> StagedBatch:
    """Stage changes (symbol, from_session, to_session) and what they reach."""
    _stage_frame(connection, CHANGES, changes)
    scope = derivation.scope
    if "to_session" not in scope:
        scope = f"SELECT *, DATE '{LAST_DAY}' AS to_session FROM ({scope})"
    stage(connection, SCOPE, scope)
    for name, query in derivation.prepared:
        stage(connection, name, query)
    return _staged(connection, derivation)


def stage_part(
    connection: duckdb.DuckDBPyConnection, derivation: Derivation, scope: pl.DataFrame
) -> StagedBatch:
    """Stage a part of the scope (symbol, from_session, to_session) of changes that are staged."""
    _stage_frame(connection, SCOPE, scope)
    return _staged(connection, derivation)


def stage_next(
    connection: duckdb.DuckDBPyConnection, derivation: Derivation, batch: pl.DataFrame
) -> StagedBatch:
    """Stage what a derivation is cut to: changes, or a part of their scope."""
    staging = stage_part if derivation.cut is Cut.SCOPE else stage_batch
    return staging(connection, derivation, batch)


def _stage_frame(connection: duckdb.DuckDBPyConnection, name: str, spans: pl.DataFrame) -> None:
    """Keep symbol, from_session and to_session in a temporary table."""
    connection.register("batch_spans", spans.to_arrow())
    stage(connection, name, "SELECT symbol, from_session, to_session FROM batch_spans")
    connection.unregister("batch_spans")


def _staged(connection: duckdb.DuckDBPyConnection, derivation: Derivation) -> StagedBatch:
    """Return the batch of the staged scope, with its reach staged."""
    bounds = connection.execute(
        "SELECT min(from_session), max(from_session), max(to_session), min(symbol), max(symbol), "
        f"count(*) FROM {SCOPE}"
    ).fetchone()
    if bounds is None or bounds[-1] == 0:
        return StagedBatch(connection, derivation, "false", 0)
    first, latest, last, low, high, symbols = bounds
    span = Span(first, last)
    if derivation.reach:
        _stage_reach(connection, derivation.reach, span, (low, high), latest=latest)
    within = condition_on((low, high), span, relation="stored")
    return StagedBatch(connection, derivation, within, symbols)


def stage(connection: duckdb.DuckDBPyConnection, name: str, query: str) -> None:
    """Keep a query's rows in a temporary table, which no transaction of the lake sees."""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")


def _stage_reach(
    connection: duckdb.DuckDBPyConnection,
    reach: Reach,
    span: Span,
    symbols: tuple[str, str],
    *,
    latest: date,
) -> None:
    """Stage from where each symbol is read, and the relations that are read from there.

    Nearly all symbols have their rows in the sessions just before the scope, and those are read
    with a literal bound. The others (new ones, or suspended for long) are read for themselves.

    Args:
        connection: Where the scope is staged.
        reach: How far before the scope the query reads.
        span: The sessions of the scope.
        symbols: The first and the last of the scope.
        latest: The last session that the scope of a symbol begins with.
    """
    floor = _floor(span.first, reach.rows)
    near = condition_on(symbols, Span(floor, span.last), relation="bar")
    if reach.rows == 0 or floor == FIRST_DAY:
        stage(connection, STARTS, _STARTS_AT_SCOPE)
    else:
        until = condition_on(symbols, Span(floor, latest), relation="bar")
        stage(connection, STARTS, _starts_query(reach, until))
    parts = [near]
    if _has_short(connection) and floor > FIRST_DAY:
        stage(connection, "early_starts", _early_starts_query(reach))
        connection.execute(
            f"UPDATE {STARTS} SET start = early.start FROM early_starts AS early "
            f"WHERE early.symbol = {STARTS}.symbol"
        )
        before = Span(FIRST_DAY, floor - timedelta(days=1))
        parts.append(f"{condition_on(symbols, before, relation='bar')} AND starts.is_short")
    for table in reach.tables:
        selects = [_in_reach(table, condition, is_whole=floor == FIRST_DAY) for condition in parts]
        connection.execute(
            f"CREATE OR REPLACE TEMP VIEW {table.name}_in_reach AS {' UNION ALL '.join(selects)}"
        )


def _in_reach(table: Table, condition: str, *, is_whole: bool) -> str:
    """Return SQL for the rows of a table that are read, and whether they are of the scope."""
    if is_whole:  # of all symbols between two, all sessions: nothing has to be looked up
        return f"SELECT bar.*, true AS is_wanted FROM {table.name} AS bar WHERE {condition}"
    return (
        f"SELECT bar.*, bar.session >= starts.from_session AS is_wanted FROM {table.name} AS bar "
        f"JOIN {STARTS} AS starts USING (symbol) "
        f"WHERE {condition} AND bar.session BETWEEN starts.start AND starts.to_session"
    )


def _has_short(connection: duckdb.DuckDBPyConnection) -> bool:
    """Return whether a symbol has too few rows near the scope."""
    row = connection.execute(f"SELECT coalesce(bool_or(is_short), false) FROM {STARTS}").fetchone()
    return bool(row and row[0])


def _floor(first: date, rows: int) -> date:
    """Return a day before which few symbols have one of their last `rows` rows before a day."""
    if rows == 0 or first == FIRST_DAY:
        return first
    return first - timedelta(days=ceil(rows * DAYS_A_SESSION)) - SLACK


_STARTS_AT_SCOPE = f"SELECT *, from_session AS start, false AS is_short FROM {SCOPE}"


def _starts_query(reach: Reach, until: str) -> str:
    """Return SQL for the scope with `start`, and whether there are too few rows just before it."""
    # max(x, n) keeps the n latest sessions in a heap: no sort over the history.
    return f"""
        WITH counted AS (
            SELECT bar.symbol, count(*) AS held, list_min(max(bar.session, {reach.rows})) AS start
            FROM {reach.counted_in.name} AS bar JOIN {SCOPE} AS scope USING (symbol)
            WHERE {until} AND bar.session < scope.from_session GROUP BY bar.symbol
        )
        SELECT scope.*, coalesce(held, 0) < {reach.rows} AS is_short,
               CASE WHEN is_short THEN DATE '{FIRST_DAY}' ELSE counted.start END AS start
        FROM {SCOPE} AS scope LEFT JOIN counted USING (symbol)"""


def _early_starts_query(reach: Reach) -> str:
    """Return SQL for `start` of the symbols whose rows lie farther back, where there are enough."""
    return f"""
        SELECT bar.symbol, list_min(max(bar.session, {reach.rows})) AS start
        FROM {reach.counted_in.name} AS bar
        JOIN (FROM {STARTS} WHERE is_short) AS short USING (symbol)
        WHERE bar.session < short.from_session
        GROUP BY bar.symbol HAVING count(*) >= {reach.rows}"""
