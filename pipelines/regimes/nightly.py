"""The regimes of some nights as rows of the lake: the market's, and each symbol's."""

from collections.abc import Mapping, Sequence
from datetime import date

import polars as pl

from pipelines.nights import Night
from pipelines.regimes.names import MARKET
from pipelines.regimes.rows import trace_rows
from pipelines.regimes.series import MarketSeries, returns_matrix
from pipelines.regimes.settings import RegimeSettings
from pipelines.regimes.tables import REGIME_STATES
from pipelines.regimes.traces import market_trace, symbol_traces
from pipelines.regimes.windows import FitWindow
from pipelines.universe import listed_on


def state_rows(
    window: FitWindow,
    series: Sequence[MarketSeries],
    symbol_returns: pl.DataFrame,
    *,
    universe: Sequence[str],
    first_sessions: Mapping[str, date],
    settings: RegimeSettings,
) -> pl.DataFrame:
    """Return the rows of `regime_states` of a window's nights.

    Args:
        window: Fit, nights and sessions.
        series: What may stand for the market, from `window.read_from` on.
        symbol_returns: symbol, session, log_return over the same sessions.
        universe: Symbols to answer for; the market is always told of.
        first_sessions: The session a symbol was first seen in; before it, it has no regime.
        settings: Hysteresis and dwell.
    """
    returns = returns_matrix(symbol_returns, window.sessions, symbols=universe)
    market = market_trace(MARKET, window.fit, series, window.sessions, settings)
    frames = [
        rows
        for trace in (market, *symbol_traces(window.fit, market, universe, returns))
        for rows in trace_rows(trace, window, settings)
    ]
    asked = pl.concat(_asked(night, universe, first_sessions) for night in window.nights)
    return pl.concat(frames).join(asked, on=REGIME_STATES.key, how="semi")


def _asked(
    night: Night, universe: Sequence[str], first_sessions: Mapping[str, date]
) -> pl.DataFrame:
    """Return whom a night answers for."""
    symbols = [MARKET, *listed_on(night.session, universe, first_sessions)]
    return pl.DataFrame({"symbol": symbols}).with_columns(session=pl.lit(night.session))
