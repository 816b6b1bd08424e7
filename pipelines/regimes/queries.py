"""What regimes read of the lake."""

from datetime import date

import polars as pl

from pipelines.regimes.panel import market_panel
from pipelines.regimes.series import UNIVERSE, MarketSeries

SESSIONS_QUERY = "SELECT session FROM exchange_sessions WHERE session <= $last ORDER BY session"

FIRST_QUERY = """
    SELECT min(session) AS first
    FROM (SELECT session FROM index_prices UNION ALL SELECT session FROM clean_prices)
"""

INDEX_QUERY = """
    SELECT symbol, session, high, low, close FROM index_prices
    WHERE session BETWEEN $first AND $last ORDER BY symbol, session
"""

_RETURNS = """
    SELECT symbol, session, high, low,
           total_return_index / lag(total_return_index) OVER (
               PARTITION BY symbol ORDER BY session) AS growth
    FROM clean_prices WHERE session BETWEEN $first AND $last
"""

UNIVERSE_QUERY = f"""
    SELECT session,
           round(fsum(growth - 1) / count(growth), 14) AS simple_return,
           round(fsum(ln(high / low)) / count(*), 14) AS range
    FROM ({_RETURNS}) GROUP BY session ORDER BY session
"""
"""Rounded, since threads add up in another order each time."""

SYMBOL_RETURNS_QUERY = f"""
    SELECT symbol, session, ln(growth) AS log_return FROM ({_RETURNS})
    WHERE growth IS NOT NULL ORDER BY symbol, session
"""

SAMPLED_SYMBOLS = 200
SAMPLED_RETURNS_QUERY = f"""
    SELECT symbol, session, log_return FROM ({SYMBOL_RETURNS_QUERY})
    WHERE symbol IN (
        SELECT DISTINCT symbol FROM clean_prices ORDER BY hash(symbol), symbol
        LIMIT {SAMPLED_SYMBOLS}
    ) ORDER BY symbol, session
"""
"""Returns of some symbols: enough to tell how symbols relate to the market."""

MARKET_INDEX = "SPX"
COMPANIONS = ("COMP", "NDX")
IMPLIED = "VIX"
SERIES_NAMES = {MARKET_INDEX: "S&P 500"}


def market_series(
    sessions: list[date], index: pl.DataFrame, universe: pl.DataFrame
) -> list[MarketSeries]:
    """Return what may stand for the market over some sessions, the best first.

    Args:
        sessions: The exchange's, in order.
        index: Rows of `INDEX_QUERY`.
        universe: Rows of `UNIVERSE_QUERY`.
    """
    days = pl.DataFrame({"session": pl.Series(sessions, dtype=pl.Date)})
    mean = days.join(universe, on="session", how="left").select(
        "session",
        pl.col("simple_return").log1p().alias("market_return"),
        pl.lit(None, dtype=pl.Float64).alias("companion_return"),
        "range",
    )
    levels = {
        symbol: days.join(index.filter(pl.col("symbol") == symbol), on="session", how="left")
        for symbol in (MARKET_INDEX, *COMPANIONS, IMPLIED)
    }
    returns = {symbol: _log_return(level["close"]) for symbol, level in levels.items()}
    companion = pl.select(
        pl.coalesce(*(pl.lit(returns[symbol]) for symbol in COMPANIONS), mean["market_return"])
    ).to_series()
    implied = levels[IMPLIED]["close"].alias("implied_volatility")
    market = levels[MARKET_INDEX]
    span = (market["high"] / market["low"]).log().alias("range")
    index_frame = days.with_columns(
        returns[MARKET_INDEX].alias("market_return"), companion.alias("companion_return"), span
    )
    return [
        MarketSeries(name, market_panel(frame.with_columns(implied)))
        for name, frame in ((SERIES_NAMES[MARKET_INDEX], index_frame), (UNIVERSE, mean))
    ]


def _log_return(close: pl.Series) -> pl.Series:
    """Return log returns from the last level that is known."""
    return (close / close.forward_fill().shift(1)).log()
