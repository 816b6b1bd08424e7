"""Profiles and clean bars made for tests of the detectors."""

from datetime import date, timedelta

import numpy as np
import polars as pl

from pipelines.anomalies.profiles import PROFILE_NAMES
from pipelines.markets.simulated import simulate_market
from pipelines.markets.simulation.settings import SimulationSettings
from tests.support.simulated_prices import clean_prices_of

FIRST = date(2020, 1, 1)


def usual_profiles(rng: np.random.Generator, bars: int) -> pl.DataFrame:
    """Return profiles of bars like any other, one symbol each, all in one session."""
    values = rng.standard_t(4, size=(bars, len(PROFILE_NAMES))).astype(np.float32)
    # A quiet move is a size; what else there is to a profile has a sign.
    values[:, -1] = np.abs(values[:, -1])
    return pl.DataFrame(values, schema=list(PROFILE_NAMES)).select(
        pl.format("S{}", pl.int_range(pl.len())).alias("symbol"),
        pl.lit(FIRST).alias("session"),
        *PROFILE_NAMES,
    )


def numbered(bars: pl.DataFrame) -> pl.DataFrame:
    """Return bars with `ordinal`, the number of their session."""
    return bars.with_columns(ordinal=pl.col("session").rank("dense").cast(pl.Int64))


def simulated_clean(*, symbols: int = 15, sessions: int = 160, seed: int = 5) -> pl.DataFrame:
    """Return clean prices of a simulated market with `ordinal`."""
    market, _ = simulate_market(SimulationSettings(symbols=symbols, sessions=sessions, seed=seed))
    return numbered(clean_prices_of(market.bars))


def day(number: int) -> date:
    """Return a day by its number."""
    return FIRST + timedelta(days=number)
