"""Marking portfolios to market: values session by session, from clean prices.

Holdings grow by total return, dividends reinvested. At a rebalancing they are brought back to their
weights without costs. A symbol without a bar keeps its last value, so a value at session t uses
bars of sessions ≤ t alone.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from pipelines.forecasts.curve import GAP, EquityCurve, UnfitCurveError, require_positive
from pipelines.forecasts.portfolios import NO_ANSWER, UNKNOWN_SYMBOL, Portfolio, Rebalancing
from pipelines.forecasts.quantiles import FloatArray
from pipelines.forecasts.sums import row_sums


@dataclass(frozen=True, eq=False)
class MarketPanel:
    """Total return of every symbol at every session, NaN before its first bar.

    Attributes:
        sessions: In order.
        symbols: Columns of `growth`, in alphabetical order.
        growth: Total return index: sessions × symbols.
        unanswered: Symbols of which the vendor has not said yet whether it knows them.
    """

    sessions: Sequence[date]
    symbols: Sequence[str]
    growth: FloatArray
    unanswered: Collection[str] = ()

    @classmethod
    def of(cls, prices: pl.DataFrame, unanswered: Collection[str] = ()) -> "MarketPanel":
        """Make a panel of rows of `clean_prices` (symbol, session, total_return_index)."""
        wide = prices.pivot(
            on="symbol", index="session", values="total_return_index", sort_columns=True
        ).sort("session")
        filled = wide.with_columns(pl.exclude("session").forward_fill())
        symbols = [name for name in filled.columns if name != "session"]
        return cls(
            filled["session"].to_list(),
            symbols,
            filled.select(symbols).to_numpy().astype(float),
            unanswered,
        )


def equity_curve(portfolio: Portfolio, panel: MarketPanel) -> EquityCurve:
    """Return the values of a portfolio through the panel's last session.

    Raises:
        UnfitCurveError: it can't be valued, with the reason.
    """
    columns = _columns(portfolio, panel)
    growth = panel.growth[:, columns]
    weights = np.array([portfolio.weights[panel.symbols[column]] for column in columns])
    past = _known_values(portfolio, panel)
    first = past[0] + len(past[1]) - 1 if past else _first(portfolio, panel, growth)
    values = np.empty(len(panel.sessions) - first)
    values[0] = past[1][-1] if past else portfolio.value
    edges = _rebalancings(panel.sessions, first, portfolio.rebalancing)
    for start, end in zip(edges, [*edges[1:], len(panel.sessions) - 1], strict=True):
        share = _shares(weights, growth[start], is_equal=portfolio.is_equal)
        held = np.nan_to_num(growth[start + 1 : end + 1] / growth[start], nan=0.0)
        grown = row_sums(held * share) + (1 - share.sum())
        values[start + 1 - first : end + 1 - first] = values[start - first] * grown
    if past:
        values, first = np.concatenate([past[1][:-1], values]), past[0]
    return EquityCurve(panel.sessions[first:], values)


def _columns(portfolio: Portfolio, panel: MarketPanel) -> list[int]:
    """Return where the portfolio's symbols stand in the panel.

    Of equal parts, symbols that the vendor has no prices of are left out; anything else can't do
    without them. An answer to come is waited for: the curve that it joins would be another one.

    Raises:
        UnfitCurveError: naming the symbols.
    """
    place = {symbol: at for at, symbol in enumerate(panel.symbols)}
    unknown = sorted(set(portfolio.weights) - set(place))
    known = sorted(set(portfolio.weights) & set(place))
    if waiting := sorted(set(unknown) & set(panel.unanswered)):
        message = (
            f"no prices of {', '.join(waiting)} yet: the vendor has not answered, and is asked "
            "each night as the key's budget allows; wait, or take them out"
        )
        raise UnfitCurveError(NO_ANSWER, message)
    if unknown and (not portfolio.is_equal or not known):
        message = (
            f"no prices of {', '.join(unknown)}: the vendor was asked and gave none; correct the "
            "symbols, or take them out"
        )
        raise UnfitCurveError(UNKNOWN_SYMBOL, message)
    return [place[symbol] for symbol in known]


def _first(portfolio: Portfolio, panel: MarketPanel, growth: FloatArray) -> int:
    """Return the first session at which the portfolio can be bought."""
    priced = np.isfinite(growth)
    can_buy = priced.any(axis=1) if portfolio.is_equal else priced.all(axis=1)
    if portfolio.start is not None:
        can_buy &= np.array([session >= portfolio.start for session in panel.sessions])
    found = np.flatnonzero(can_buy)
    if not found.size:
        message = (
            f"there is no session from {portfolio.start or panel.sessions[0]} on at which its "
            "symbols have prices"
        )
        raise UnfitCurveError(GAP, message)
    return int(found[0])


def _known_values(portfolio: Portfolio, panel: MarketPanel) -> tuple[int, FloatArray] | None:
    """Return values that come with the portfolio, and where in the panel they begin.

    Raises:
        UnfitCurveError: they are not one for each session, or no positive numbers.
    """
    if not portfolio.values:
        return None
    inside = [
        at
        for at, session in enumerate(panel.sessions)
        if (portfolio.start is None or session >= portfolio.start)
        and (portfolio.values_end is None or session <= portfolio.values_end)
    ]
    surplus = len(portfolio.values) - len(inside)
    if not inside or surplus not in (0, 1):  # the cash before the first session may be counted
        message = (
            f"{len(portfolio.values)} values for {len(inside)} sessions from {portfolio.start} to "
            f"{portfolio.values_end}: there must be one for each session"
        )
        raise UnfitCurveError(GAP, message)
    values = np.array(portfolio.values[surplus:])
    require_positive([panel.sessions[at] for at in inside], values)
    return inside[0], values


def _shares(weights: FloatArray, prices: FloatArray, *, is_equal: bool) -> FloatArray:
    """Return the weights at a rebalancing; equal parts are shared among what trades."""
    if not is_equal:
        return weights
    trading = np.isfinite(prices).astype(np.float64)
    return np.asarray(trading / trading.sum())


def _rebalancings(sessions: Sequence[date], first: int, rebalancing: Rebalancing) -> list[int]:
    """Return the sessions at whose close holdings are brought back: the first, and period ends."""
    periods = [_period(session, rebalancing) for session in sessions]
    last = len(sessions) - 1
    return [first] + [at for at in range(first + 1, last) if periods[at] != periods[at + 1]]


def _period(session: date, rebalancing: Rebalancing) -> tuple[int, ...]:
    """Return the period that a session belongs to."""
    if rebalancing is Rebalancing.NEVER:
        return ()
    if rebalancing is Rebalancing.DAILY:
        return (session.toordinal(),)
    if rebalancing is Rebalancing.WEEKLY:
        return session.isocalendar()[:2]
    if rebalancing is Rebalancing.MONTHLY:
        return session.year, session.month
    return session.year, (session.month - 1) // 3
