"""Daily bars, as a vendor shows them, from the paths of prices and volumes."""

import numpy as np
import polars as pl

from pipelines.markets.recorded import BAR_SCHEMA, with_adjusted_close
from pipelines.markets.simulation.market_path import FloatArray
from pipelines.markets.simulation.paths import SymbolPaths
from pipelines.markets.simulation.settings import SimulationSettings
from pipelines.markets.simulation.symbols import Chances, SymbolTraits

OVERNIGHT_SHARE = 0.4
"""How much of a session's move is there at the open, on average."""
OVERNIGHT_NOISE = 0.3
RANGE_BEYOND = 0.4
"""Deviations by which a day's range goes beyond open and close, on average over 0.8."""
CENTS = 100.0


def bar_frames(
    traits: SymbolTraits, chances: Chances, paths: SymbolPaths, settings: SimulationSettings
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the bars (BAR_SCHEMA) and the chances of rising, by symbol and session.

    The second frame has symbol, session and probability: that the session after ends higher.
    """
    ordinal = np.arange(settings.sessions)
    is_listed = (ordinal >= traits.listed[:, None]) & (ordinal <= traits.delisted[:, None])
    symbol_row, session_row = np.nonzero(is_listed)
    key = {
        "symbol": pl.Series(traits.symbol, dtype=pl.String).gather(symbol_row),
        "session": pl.Series(settings.days, dtype=pl.Date).gather(session_row),
    }
    columns = _bar_columns(chances, paths)
    values = {name: column.T[is_listed] for name, column in columns.items()}
    bars = pl.DataFrame({**key, **values, "adjusted_close": values["close"]})
    is_first = pl.col("session") == pl.col("session").first().over("symbol")
    # A split or dividend of the first session belongs to holders that nobody saw.
    bars = bars.with_columns(
        split_coefficient=pl.when(is_first).then(1.0).otherwise("split_coefficient"),
        dividend_amount=pl.when(is_first).then(0.0).otherwise("dividend_amount"),
    )
    ordered = bars.select(pl.col(name).cast(dtype) for name, dtype in BAR_SCHEMA.items())
    return with_adjusted_close(ordered), pl.DataFrame(
        {**key, "probability": paths.rises.T[is_listed]}
    )


def _bar_columns(chances: Chances, paths: SymbolPaths) -> dict[str, FloatArray]:
    """Return the value columns of bars (sessions × symbols), prices in currency units."""
    moved = paths.close / paths.reference - 1.0
    gap = OVERNIGHT_SHARE * moved + (OVERNIGHT_NOISE * paths.volatility * chances.of("overnight"))
    # The gap is bounded, since no open may be zero or less.
    start = np.maximum(np.rint(paths.reference * (1.0 + np.maximum(gap, -0.9))), 1.0)
    high = np.maximum(start, paths.close) * (1.0 + _beyond(chances.of("above"), paths))
    low = np.minimum(start, paths.close) * (
        1.0 - np.minimum(_beyond(chances.of("below"), paths), 0.5)
    )
    return {
        "open": start / CENTS,
        "high": np.rint(high) / CENTS,
        "low": np.maximum(np.rint(low), 1.0) / CENTS,
        "close": paths.close / CENTS,
        "volume": paths.volume,
        "dividend_amount": paths.dividend / CENTS,
        "split_coefficient": paths.new_shares / paths.old_shares,
    }


def _beyond(normal: FloatArray, paths: SymbolPaths) -> FloatArray:
    """Return by what share the range goes beyond open and close, on one side."""
    return np.asarray(RANGE_BEYOND * paths.volatility * np.abs(normal))
