"""Clean prices made for tests: random walks with splits, dividends, gaps and stale prices."""

from datetime import date, timedelta

import numpy as np
import polars as pl

FIRST_SESSION = date(2020, 1, 1)


def simulated_clean_prices(
    rng: np.random.Generator, *, symbols: int = 3, sessions: int = 90, missing_share: float = 0.05
) -> pl.DataFrame:
    """Return rows of `clean_prices`: a symbol misses some sessions and begins on its own day."""
    frames = [
        _symbol_bars(rng, f"S{number}", start=5 * number, sessions=sessions)
        for number in range(symbols)
    ]
    bars = pl.concat(frames)
    is_there = pl.Series(rng.random(len(bars)) >= missing_share)
    # A split on a missing bar would be one that the vendor never listed.
    return bars.filter(is_there | (pl.col("split_coefficient") != 1)).sort("symbol", "session")


def chained(bars: pl.DataFrame) -> pl.DataFrame:
    """Return the bars with split factor and total-return index chained forward anew."""
    factor = pl.col("split_coefficient").cum_prod().over("symbol", order_by="session")
    before = pl.col("close").shift(1).over("symbol", order_by="session")
    growth = (pl.col("close") * pl.col("split_coefficient") + pl.col("dividend_amount")) / before
    index = growth.fill_null(1.0).cum_prod().over("symbol", order_by="session")
    made = bars.with_columns(split_factor=factor, total_return_index=index)
    return made.with_columns(total_return_units=index / pl.col("close"))


def _symbol_bars(
    rng: np.random.Generator, symbol: str, *, start: int, sessions: int
) -> pl.DataFrame:
    count = sessions - start
    split = np.where(rng.random(count) < 0.03, 2.0, 1.0)
    close = 50 * np.exp(np.cumsum(0.02 * rng.standard_normal(count))) / np.cumprod(split)
    close[count // 2 : count // 2 + 2] = close[count // 2]  # a stale price is a real case
    spread = 1 + 0.02 * rng.random((2, count))
    start_of_day = close * (1 + 0.01 * rng.standard_normal(count))
    return chained(
        pl.DataFrame(
            {
                "symbol": [symbol] * count,
                "session": [FIRST_SESSION + timedelta(days=start + i) for i in range(count)],
                "open": start_of_day,
                "high": np.maximum(close, start_of_day) * spread[0],
                "low": np.minimum(close, start_of_day) / spread[1],
                "close": close,
                "volume": rng.integers(0, 1_000_000, count),
                "adjusted_close": close,
                "dividend_amount": np.where(rng.random(count) < 0.05, 0.4, 0.0),
                "split_coefficient": split,
            }
        )
    )
