"""Other futures of a market: what may come after a session without moving what was known by it."""

from collections.abc import Iterator
from datetime import date

import numpy as np
import polars as pl

NEWCOMER = "A NEW SYMBOL"


def other_futures(
    bars: pl.DataFrame, session: date, rng: np.random.Generator
) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield the same past with other futures, and what is other about each.

    Every number of every later row is another one, half of these rows are missing, all are, and a
    symbol is new.

    Args:
        bars: The history, keyed by (symbol, session).
        session: The last session that stays as it is.
        rng: Where the other numbers come from.
    """
    past = bars.filter(pl.col("session") <= session)
    future = bars.filter(pl.col("session") > session)
    other = future.with_columns(
        _changed(column, rng) for column in future if column.dtype.is_numeric()
    )
    newcomer = other.with_columns(symbol=pl.lit(NEWCOMER)).unique("session")
    thinned = future.filter(pl.Series(rng.random(len(future)) < 0.5))
    yield "other values", pl.concat([past, other])
    yield "half of the rows", pl.concat([past, thinned])
    yield "no rows", past
    yield "a new symbol", pl.concat([past, other, newcomer])


def _changed(column: pl.Series, rng: np.random.Generator) -> pl.Series:
    """Return other numbers of the same type and size; zeros change too."""
    factors = np.exp(0.5 * rng.standard_normal(len(column)))
    scale = 1.0 if column.dtype.is_integer() else 0.01
    noise = scale * (1 + rng.random(len(column)))
    return (column.cast(pl.Float64) * factors + noise).cast(column.dtype).alias(column.name)
