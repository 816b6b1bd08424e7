"""What regimes are seen by: returns and volatility of the market and what moves beside it.

A panel has one row a session; its value at a session uses bars up to it, nothing later. Returns are
log returns as fractions.
"""

import polars as pl

VOLATILITY_SESSIONS = 21
TREND_SESSIONS = 63
PANEL_COLUMNS = (
    *("market_return", "companion_return", "log_range"),
    *("log_volatility", "trend", "companion_volatility", "companion_trend"),
    "log_implied_volatility",
)


def market_panel(series: pl.DataFrame) -> pl.DataFrame:
    """Return the columns that models look at, by session.

    Args:
        series: By session, in order: market_return, companion_return (what moves beside the
            market: another index, the universe), range (log of high over low) and
            implied_volatility (in percent); null where it is not known.
    """
    volatility, trend = _smoothed("market_return")
    beside, trend_beside = _smoothed("companion_return")
    return (
        series.sort("session")
        .with_columns(
            _log_of("range").alias("log_range"),
            _log_of("implied_volatility").alias("log_implied_volatility"),
            volatility.alias("log_volatility"),
            trend.alias("trend"),
            beside.alias("companion_volatility"),
            trend_beside.alias("companion_trend"),
        )
        .select("session", *PANEL_COLUMNS)
    )


def _smoothed(returns: str) -> tuple[pl.Expr, pl.Expr]:
    """Return the log volatility of a month of returns, and a quarter's mean in its units."""
    moves = pl.col(returns)
    squares = moves.pow(2).rolling_mean(VOLATILITY_SESSIONS, min_samples=VOLATILITY_SESSIONS // 2)
    mean = moves.rolling_mean(TREND_SESSIONS, min_samples=TREND_SESSIONS // 2)
    moved = pl.when(squares > 0)
    return moved.then(squares.log() / 2), moved.then(mean / squares.sqrt() * TREND_SESSIONS**0.5)


def _log_of(name: str) -> pl.Expr:
    """Return the logarithm of a column where it is above zero."""
    return pl.when(pl.col(name) > 0).then(pl.col(name).log())
