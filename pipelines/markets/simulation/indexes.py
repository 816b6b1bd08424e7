"""Indexes of the simulated market, from the path that all its symbols share.

`SPX` earns the common factor and its drift, as very many symbols of beta 1 together do. `NDX` moves
more, and on its own as well. `VIX` is what anyone could have estimated from the past of the first:
smoothed realised volatility with a premium and noise. No close tells the hidden state beyond that.
"""

import numpy as np
import polars as pl

from pipelines.markets.indexes import INDEX_SCHEMA
from pipelines.markets.simulation.market_path import REGIME_STATES, FloatArray, MarketPath
from pipelines.markets.simulation.settings import SimulationSettings
from pipelines.validation.long_short import SESSIONS_PER_YEAR

FIRST_LEVEL = 1000.0
NDX_BETA, NDX_OWN_VOLATILITY = 1.2, 0.004
LARGEST_FALL = -0.5
SMOOTHING = 0.94
"""Weight of yesterday's variance (RiskMetrics, 1996)."""
VIX_PREMIUM, VIX_MEMORY, VIX_NOISE = 1.15, 0.9, 0.04
OVERNIGHT_SHARE, RANGE_BEYOND = 0.4, 0.4
_DRAWS = ("own", "overnight", "above", "below", "premium")


def index_frame(
    path: MarketPath, settings: SimulationSettings, *, seed: np.random.SeedSequence
) -> pl.DataFrame:
    """Return the indexes (INDEX_SCHEMA); more sessions leave the earlier ones as they are.

    Args:
        path: What all symbols share.
        settings: Tells the sessions.
        seed: A seed sequence that nothing else draws from.
    """
    draws = np.random.default_rng(seed).standard_normal((settings.sessions, len(_DRAWS)))
    normal = dict(zip(_DRAWS, draws.T, strict=True))
    moves = path.drift + path.factor
    own = NDX_BETA * moves + NDX_OWN_VOLATILITY * normal["own"]
    levels = {
        "SPX": (_level(moves), path.volatility),
        "NDX": (_level(own), NDX_BETA * path.volatility),
        "VIX": (_implied(path.factor, normal["premium"]), np.full(settings.sessions, 0.03)),
    }
    frames = [
        _bars(symbol, close, spread, normal, settings) for symbol, (close, spread) in levels.items()
    ]
    return pl.concat(frames)


def _level(moves: FloatArray) -> FloatArray:
    """Return the level that returns lead to."""
    return np.asarray(FIRST_LEVEL * np.cumprod(1.0 + np.maximum(moves, LARGEST_FALL)))


def _implied(factor: FloatArray, noise: FloatArray) -> FloatArray:
    """Return a volatility index in percent a year, from returns up to each session."""
    implied = np.empty(len(factor))
    variance, premium = REGIME_STATES[0].volatility ** 2, 0.0
    for session, (move, shock) in enumerate(zip(factor, noise, strict=True)):
        variance = SMOOTHING * variance + (1.0 - SMOOTHING) * move**2
        premium = VIX_MEMORY * premium + VIX_NOISE * shock
        implied[session] = (variance * SESSIONS_PER_YEAR) ** 0.5 * np.exp(premium)
    return 100.0 * VIX_PREMIUM * implied


def _bars(
    symbol: str,
    close: FloatArray,
    spread: FloatArray,
    normal: dict[str, FloatArray],
    settings: SimulationSettings,
) -> pl.DataFrame:
    """Return bars around closes, in hundredths of a point."""
    before = np.concatenate([close[:1], close[:-1]])
    opened = before * (close / before) ** OVERNIGHT_SHARE
    opened = opened * np.exp(RANGE_BEYOND * spread * normal["overnight"])
    values = {
        "open": opened,
        "high": np.maximum(opened, close) * np.exp(RANGE_BEYOND * spread * np.abs(normal["above"])),
        "low": np.minimum(opened, close) * np.exp(-RANGE_BEYOND * spread * np.abs(normal["below"])),
        "close": close,
    }
    key = {"symbol": [symbol] * len(close), "session": settings.days}
    rounded = {name: np.round(value, 2) for name, value in values.items()}
    return pl.DataFrame({**key, **rounded}, schema=INDEX_SCHEMA)
