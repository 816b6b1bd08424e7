"""The operators of the expression language, one registry entry each.

An entry says how an operator is written, how many earlier rows it needs and how it renders as SQL;
its kernels are in `kernels.operations`. Rules that hold for all of them: a null argument gives
null, a window is null until all its rows have a value, and what is not a finite number is null.
"""

from collections.abc import Callable
from dataclasses import dataclass

from pipelines.features import orders, session_wide, trends
from pipelines.features.exponential import (
    exponential_mean,
    span_decay,
    weighted_rows,
    wilder_decay,
)
from pipelines.features.staging import StagedQuery
from pipelines.features.windows import comoment, extreme, lagged, total

Render = Callable[[StagedQuery, tuple[str, ...], int], str]
LookBack = Callable[[int], int]
Decay = Callable[[int], float]

# A deviation below this share of the mean is rounding and counts as none: returns of a steadily
# growing price differ by 1e-16, and a ratio of two such deviations could be anything.
ROUNDING = 1e-11


@dataclass(frozen=True)
class Operator:
    """One operator of the language.

    Attributes:
        name: the name of the Python function that builds it.
        render: adds its columns to a query and returns the column with the result.
        arguments: how many expressions it may take.
        look_back: earlier rows needed for a window of n; zero for operators within the row.
        smallest_window: the least n that has a meaning, None for an operator without a window.
        symbol: how it is written between (or before) its arguments; empty for a function call.
        precedence: how tightly the symbol binds, higher is tighter.
        is_session_wide: whether it reads all symbols of the session.
        version: raised when the values change; it is part of every feature's version.
    """

    name: str
    render: Render
    arguments: tuple[int, ...] = (1,)
    look_back: LookBack = lambda _: 0
    smallest_window: int | None = None
    symbol: str = ""
    precedence: int = 9
    is_session_wide: bool = False
    version: int = 1


def _finite(sql: str) -> str:
    return f"CASE WHEN isfinite({sql}) THEN {sql} END"


def _row(template: str) -> Render:
    """Render an operator that needs its own row only."""
    return lambda query, arguments, _: query.value(template, *arguments)


def _infix(name: str, symbol: str, precedence: int, template: str) -> Operator:
    return Operator(name, _row(template), arguments=(2,), symbol=symbol, precedence=precedence)


def _comparison(name: str, symbol: str) -> Operator:
    return _infix(name, symbol, 1, f"CAST({{0}} {symbol} {{1}} AS DOUBLE)")


def _window(name: str, render: Render, *, smallest: int = 1, arguments: int = 1) -> Operator:
    """Describe an operator over the current row and the n - 1 before it."""
    return Operator(
        name,
        render,
        arguments=(arguments,),
        look_back=lambda rows: rows - 1,
        smallest_window=smallest,
    )


def _past(name: str, render: Render) -> Operator:
    """Describe an operator that reads the row of n rows ago."""
    return Operator(name, render, look_back=lambda rows: rows, smallest_window=1)


def _exponential(name: str, decay: Decay) -> Operator:
    """Describe a mean with weights that fall by `decay` of n from row to row, and end."""
    return Operator(
        name,
        lambda query, arguments, rows: exponential_mean(query, arguments[0], decay(rows)),
        look_back=lambda rows: weighted_rows(decay(rows)) - 1,
        smallest_window=2,
    )


def _session_wide(name: str, render: Callable[[StagedQuery, str], str]) -> Operator:
    """Describe an operator over all symbols of the row's session."""
    return Operator(
        name, lambda query, arguments, _: render(query, arguments[0]), is_session_wide=True
    )


def _where(query: StagedQuery, arguments: tuple[str, ...], _: int) -> str:
    otherwise = " WHEN {0} = 0 THEN {2}" if len(arguments) == 3 else ""
    return query.value(f"CASE WHEN {{0}} <> 0 THEN {{1}}{otherwise} END", *arguments)


def _delta(query: StagedQuery, arguments: tuple[str, ...], rows: int) -> str:
    earlier = lagged(query, arguments[0], rows)
    return query.value(_finite("{0} - {1}"), arguments[0], earlier)


def _mean(query: StagedQuery, arguments: tuple[str, ...], rows: int) -> str:
    return query.value(f"{{0}} / {rows}", total(query, arguments[0], rows))


def _count(query: StagedQuery, arguments: tuple[str, ...], rows: int) -> str:
    return total(query, query.value("CAST({0} <> 0 AS DOUBLE)", arguments[0]), rows)


def _squares(query: StagedQuery, value: str, rows: int) -> str:
    """Return the sum of squared deviations, 0 where they are no more than rounding."""
    squares = comoment(query, value, value, rows)
    noise = f"{rows} * pow({ROUNDING!r} * {{1}} / {rows}, 2)"
    return query.value(
        f"CASE WHEN {{0}} <= {noise} THEN 0.0::DOUBLE ELSE {{0}} END",
        squares,
        total(query, value, rows),
    )


def _variance(query: StagedQuery, arguments: tuple[str, ...], rows: int) -> str:
    return query.value(_finite(f"{{0}} / {rows - 1}"), _squares(query, arguments[0], rows))


def _std(query: StagedQuery, arguments: tuple[str, ...], rows: int) -> str:
    return query.value("sqrt({0})", _variance(query, arguments, rows))


def _correlation(query: StagedQuery, arguments: tuple[str, ...], rows: int) -> str:
    left, right = arguments
    columns = [comoment(query, left, right, rows)]
    columns += [_squares(query, argument, rows) for argument in arguments]
    # Rounding can carry a perfect correlation past 1 by one unit in the last place.
    ratio = "{0} / (sqrt({1}) * sqrt({2}))"
    return query.value(
        f"CASE WHEN sqrt({{1}}) * sqrt({{2}}) > 0 THEN greatest(-1.0, least(1.0, {ratio})) END",
        *columns,
    )


def _covariance(query: StagedQuery, arguments: tuple[str, ...], rows: int) -> str:
    left, right = arguments
    return query.value(f"{{0}} / {rows - 1}", comoment(query, left, right, rows))


def _r_squared(query: StagedQuery, arguments: tuple[str, ...], rows: int) -> str:
    """Return the share of the squared deviations that the line explains."""
    columns = trends.trend(query, arguments[0], rows), _squares(query, arguments[0], rows)
    ratio = f"{{0}} * {{0}} / ({{1}} * {trends.row_squares(rows)!r})"
    return query.value(f"CASE WHEN {{1}} > 0 THEN least(1.0, {ratio}) END", *columns)


_ENTRIES = (
    _infix("add", "+", 2, _finite("{0} + {1}")),
    _infix("subtract", "-", 2, _finite("{0} - {1}")),
    _infix("multiply", "*", 3, _finite("{0} * {1}")),
    _infix("divide", "/", 3, _finite("{0} / nullif({1}, 0)")),
    Operator("negate", _row("-{0}"), symbol="-", precedence=4),
    _comparison("is_greater", ">"),
    _comparison("is_greater_or_equal", ">="),
    _comparison("is_less", "<"),
    _comparison("is_less_or_equal", "<="),
    Operator("abs", _row("abs({0})")),
    Operator("exp", _row(_finite("exp({0})"))),
    Operator("log", _row("CASE WHEN {0} > 0 THEN ln({0}) END")),
    Operator("sqrt", _row("CASE WHEN {0} >= 0 THEN sqrt({0}) END")),
    Operator("sign", _row("CAST(sign({0}) AS DOUBLE)")),
    # DuckDB's greatest and least skip nulls; a comparison with a null does not.
    Operator("larger", _row("CASE WHEN {0} >= {1} THEN {0} WHEN {0} < {1} THEN {1} END"), (2,)),
    Operator("smaller", _row("CASE WHEN {0} <= {1} THEN {0} WHEN {0} > {1} THEN {1} END"), (2,)),
    Operator("where", _where, arguments=(2, 3)),
    _past("delay", lambda query, arguments, rows: lagged(query, arguments[0], rows)),
    _past("delta", _delta),
    _window("total", lambda query, arguments, rows: total(query, arguments[0], rows)),
    _window("mean", _mean),
    _window("count", _count),
    _window("std", _std, smallest=2),
    _window("variance", _variance, smallest=2),
    _window("minimum", lambda query, arguments, n: extreme(query, "min", arguments[0], n)),
    _window("maximum", lambda query, arguments, n: extreme(query, "max", arguments[0], n)),
    _window("correlation", _correlation, smallest=2, arguments=2),
    _window("covariance", _covariance, smallest=2, arguments=2),
    _window("slope", trends.slope, smallest=2),
    _window("r_squared", _r_squared, smallest=2),
    _window("residual", trends.residual, smallest=2),
    _window("linear_mean", trends.linear_mean, smallest=2),
    _window("since_maximum", lambda query, a, n: orders.since_extreme("max", query, a[0], n)),
    _window("since_minimum", lambda query, a, n: orders.since_extreme("min", query, a[0], n)),
    _window("position_of_maximum", lambda query, a, n: orders.position("max", query, a[0], n)),
    _window("position_of_minimum", lambda query, a, n: orders.position("min", query, a[0], n)),
    _window("quantile", orders.quantile, arguments=2),
    _window("place", orders.place),
    _window("streak", orders.streak),
    _exponential("ema", span_decay),
    _exponential("wilder", wilder_decay),
    _session_wide("rank", session_wide.rank),
    _session_wide("session_mean", session_wide.session_mean),
)

OPERATORS: dict[str, Operator] = {operator.name: operator for operator in _ENTRIES}
