"""What one would do without the quality stage: four usual detectors, on the same bars.

The two of PyOD are flattered: they are fitted on the clean bars of the panel, later ones included,
with a threshold that 1 in 100 of those exceed. No night could know that.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import polars as pl

Alarms = pl.DataFrame
"""symbol, session, severity."""
Flagging = Callable[[pl.DataFrame], Alarms]
"""Bars to what is flagged in them."""
Baseline = Callable[[pl.DataFrame], Flagging]
"""Clean bars of a panel to how its faulty bars are flagged."""

LARGEST_MOVE = 0.04
MODIFIED_Z = 3.5
"""Iglewicz and Hoaglin (1993)."""
Z_SESSIONS, VOLUME_SESSIONS = 60, 20
CONTAMINATION = 0.01
SMALLEST = 1e-6
"""Stands for prices of zero and below, so that a logarithm exists."""
MEASURES = ("move", "size", "gap", "range", "volume")


def measured(bars: pl.DataFrame) -> pl.DataFrame:
    """Return what a bar looks like: MEASURES, all logarithms.

    The return has listed splits undone, volume is over the median of the 20 sessions before.
    """
    close, volume = pl.col("close"), pl.col("volume").clip(1).log()
    split = pl.when(pl.col("split_coefficient") > 0).then("split_coefficient").otherwise(1.0)
    prices = ("open", "high", "low", "close")
    before = close.shift(1).over("symbol") / split
    usual = volume.rolling_median(VOLUME_SESSIONS, min_samples=1).shift(1).over("symbol")
    return (
        bars.with_columns(pl.col(prices).clip(SMALLEST))
        .with_columns(
            move=(close / before).log(),
            gap=(pl.col("open") / before).log(),
            range=(pl.col("high") / pl.col("low")).log(),
            volume=volume - usual,
        )
        .with_columns(size=pl.col("move").abs())
        .with_columns(pl.col(MEASURES).fill_null(0.0).fill_nan(0.0))
    )


def move_rule(_: pl.DataFrame) -> Flagging:
    """Flag closes that moved by more than 4 %, listed splits undone."""
    too_far = pl.col("move").exp().sub(1).abs() > LARGEST_MOVE
    return lambda bars: _flagged(measured(bars).filter(too_far))


def robust_z_score(_: pl.DataFrame) -> Flagging:
    """Flag returns beyond 3.5 robust deviations of the symbol's 60 sessions before."""
    off = pl.col("move") - _usual(pl.col("move"))
    spread = _usual(pl.col("off").abs())
    z_score = (0.6745 * pl.col("off") / spread.clip(SMALLEST)).abs()
    return lambda bars: _flagged(measured(bars).with_columns(off=off).filter(z_score > MODIFIED_Z))


def isolation_forest(clean: pl.DataFrame) -> Flagging:
    """Flag by PyOD's Isolation Forest as it comes."""
    from pyod.models.iforest import IForest

    return _fitted(IForest(contamination=CONTAMINATION, random_state=1), clean)


def ecod(clean: pl.DataFrame) -> Flagging:
    """Flag by PyOD's ECOD as it comes."""
    from pyod.models.ecod import ECOD

    return _fitted(ECOD(contamination=CONTAMINATION), clean)


BASELINES: Mapping[str, Baseline] = MappingProxyType(
    {
        "Isolation Forest": isolation_forest,
        "4 % move": move_rule,
        "robust z-score": robust_z_score,
        "ECOD": ecod,
    }
)


def _usual(value: pl.Expr) -> pl.Expr:
    """Return the median of a symbol's sessions before."""
    return value.rolling_median(Z_SESSIONS, min_samples=10).shift(1).over("symbol")


def _fitted(detector: Any, clean: pl.DataFrame) -> Flagging:
    """Fit a detector on clean bars and return how it flags others."""
    detector.fit(measured(clean).select(MEASURES).to_numpy())

    def flag(bars: pl.DataFrame) -> Alarms:
        rows = measured(bars)
        labels = np.asarray(detector.predict(rows.select(MEASURES).to_numpy()))
        return _flagged(rows.filter(labels == 1))

    return flag


def _flagged(rows: pl.DataFrame) -> Alarms:
    """Return rows as alarms that count at every level."""
    return rows.select("symbol", "session", severity=pl.lit("critical"))
