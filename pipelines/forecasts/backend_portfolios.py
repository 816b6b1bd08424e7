"""Portfolios of the backend: its watchlists, its backtests, and what their executions hold.

What stands in the backend's documents is somebody else's: one that can't be read keeps its place
with the reason.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

from pipelines.forecasts.curve import GAP, NOT_POSITIVE, UnfitCurveError
from pipelines.forecasts.portfolios import (
    INITIAL_VALUE,
    UNKNOWN_DATES,
    UNREADABLE,
    Portfolio,
    Rebalancing,
    Source,
    equal_weights,
    faulty,
)

WATCHLISTS, BACKTESTS, EXECUTIONS = "watchlists", "backtests", "backtest_executions"
"""The backend's collections; we only read them."""
SKIPPED_STATUSES = frozenset({"failed", "cancelled"})
COMPLETED = "completed"

Document = Mapping[str, object]


def backend_portfolios(
    watchlists: Iterable[Document], backtests: Sequence[Document], executions: Iterable[Document]
) -> list[Portfolio]:
    """Return the portfolios of the backend, in the order of their identity.

    A backtest with a completed execution is that execution; the others count as what they plan to
    hold, in equal parts.
    """
    by_id = {str(document.get("_id")): document for document in backtests}
    made = [_read(Source.WATCHLIST, one, _of_watchlist) for one in watchlists]
    done: set[str] = set()
    for one in executions:
        if one.get("status") == COMPLETED:
            done.add(str(one.get("backtest_id")))
            backtest = by_id.get(str(one.get("backtest_id")))
            made.append(_read(Source.EXECUTION, one, lambda it, b=backtest: _of_execution(it, b)))  # type: ignore[misc]
    made += [
        _read(Source.BACKTEST, one, _of_backtest)
        for identity, one in by_id.items()
        if identity not in done and one.get("status") not in SKIPPED_STATUSES
    ]
    return sorted(made, key=lambda portfolio: portfolio.portfolio_id)


def _read(source: Source, document: Document, read: Callable[[Document], Portfolio]) -> Portfolio:
    """Return a document's portfolio, or its place with what is wrong."""
    key = document.get("execution_id") if source is Source.EXECUTION else document.get("_id")
    portfolio_id, name = f"{source.value}:{key}", str(document.get("name") or key)
    try:
        return replace(read(document), portfolio_id=portfolio_id, name=name)
    except UnfitCurveError as error:
        return faulty(portfolio_id, name, source, error)


def _of_watchlist(document: Document) -> Portfolio:
    """Return the symbols of a watchlist in equal parts."""
    weights = equal_weights(_symbols(document.get("symbols")))
    return Portfolio("", "", Source.WATCHLIST, weights, is_equal=True)


def _of_backtest(document: Document) -> Portfolio:
    """Return the symbols of a backtest in equal parts, from its start."""
    config = _map(document.get("config"), "config")
    frequency = config.get("rebalance_frequency")
    return Portfolio(
        "",
        "",
        Source.BACKTEST,
        equal_weights(_symbols(config.get("symbols"))),
        is_equal=True,
        rebalancing=_rebalancing(frequency),
        value=_number(config.get("initial_cash", INITIAL_VALUE), "config.initial_cash"),
        start=_day(config.get("start_date"), "config.start_date"),
    )


def _of_execution(document: Document, backtest: Document | None) -> Portfolio:
    """Return an execution's own values, and after them its last holdings, never rebalanced."""
    if backtest is None:
        message = (
            f"its backtest {document.get('backtest_id')!r} is not in {BACKTESTS}, so nobody knows "
            "which sessions its values belong to"
        )
        raise UnfitCurveError(UNKNOWN_DATES, message)
    config = _map(backtest.get("config"), "config")
    values = document.get("portfolio_values")
    if not isinstance(values, list) or not values:
        message = "portfolio_values is empty: the execution has recorded nothing"
        raise UnfitCurveError(GAP, message)
    curve = tuple(_value(value, place) for place, value in enumerate(values))
    return Portfolio(
        "",
        "",
        Source.EXECUTION,
        _holdings(document.get("positions") or {}, curve[-1]),
        rebalancing=Rebalancing.NEVER,
        value=curve[0],
        start=_day(config.get("start_date"), "config.start_date"),
        values=curve,
        values_end=_day(config.get("end_date"), "config.end_date"),
    )


def _holdings(positions: object, total: float) -> dict[str, float]:
    """Return each position's share of the last value."""
    weights, held_positions = {}, _map(positions, "positions")
    if held_positions and total <= 0:
        message = f"the last of portfolio_values is {total}: its positions have no share of that"
        raise UnfitCurveError(NOT_POSITIVE, message)
    for symbol, position in held_positions.items():
        held = _map(position, f"positions.{symbol}")
        quantity = _number(held.get("quantity"), f"positions.{symbol}.quantity")
        price = _number(held.get("current_price"), f"positions.{symbol}.current_price")
        if quantity:
            weights[str(symbol).upper()] = quantity * price / total
    return weights


def _rebalancing(frequency: object) -> Rebalancing:
    """Return the backend's word for how often; none is never."""
    if frequency is None:
        return Rebalancing.NEVER
    try:
        return Rebalancing(str(frequency).lower())
    except ValueError:
        message = (
            f"config.rebalance_frequency is {frequency!r}: use one of {[*map(str, Rebalancing)]}"
        )
        raise UnfitCurveError(UNREADABLE, message) from None


def _symbols(value: object) -> list[str]:
    """Return a list of symbols in upper case."""
    if not isinstance(value, list) or not all(isinstance(symbol, str) for symbol in value):
        message = f"symbols is no list of texts but {repr(value)[:40]}"
        raise UnfitCurveError(UNREADABLE, message)
    return [symbol.strip().upper() for symbol in value if symbol.strip()]


def _map(value: object, name: str) -> Mapping[str, object]:
    """Return a map."""
    if not isinstance(value, Mapping):
        message = f"{name} is no map but {repr(value)[:40]}"
        raise UnfitCurveError(UNREADABLE, message)
    return value


def _number(value: object, name: str) -> float:
    """Return a finite number."""
    if isinstance(value, int | float) and math.isfinite(value):
        return float(value)
    message = f"{name} is no finite number but {repr(value)[:40]}"
    raise UnfitCurveError(UNREADABLE, message)


def _value(value: object, place: int) -> float:
    """Return a value of the curve; what is missing there is a gap."""
    if isinstance(value, int | float) and math.isfinite(value):
        return float(value)
    message = f"portfolio_values has no number at place {place + 1} but {repr(value)[:40]}"
    raise UnfitCurveError(GAP, message)


def _day(value: object, name: str) -> date:
    """Return the day of an instant."""
    if isinstance(value, datetime):
        return value.date()
    message = f"{name} is no date but {repr(value)[:40]}"
    raise UnfitCurveError(UNREADABLE, message)
