"""Faults of a single bar: what can't be, what did not trade, what was not finished."""

import polars as pl

from pipelines.anomalies.fault_injection.series import (
    PRICES,
    Harm,
    Victim,
    changed,
    computed,
    readjusted,
    scaled,
)

_CENT = 0.01
_TOP = pl.max_horizontal("open", "close")
_BOTTOM = pl.min_horizontal("open", "close")


def impossible_bar(victim: Victim) -> Harm:
    """Make a bar contradict itself; the contradiction is 0.1 % to 20 % of the price, or a sign."""
    share = victim.between(0.001, 0.2)
    ways = {
        "high_below": {"high": pl.min_horizontal(_TOP * (1 - share), _TOP - _CENT)},
        "low_above": {"low": pl.max_horizontal(_BOTTOM * (1 + share), _BOTTOM + _CENT)},
        "close_zero": {"close": pl.lit(0.0)},
        "open_zero": {"open": pl.lit(0.0)},
        "low_zero": {"low": pl.lit(0.0)},
        "close_negative": {"close": -pl.col("close")},
        "all_zero": {name: pl.lit(0.0) for name in PRICES},
        "volume_negative": {"volume": -pl.max_horizontal("volume", 1)},
        "split_zero": {"split_coefficient": pl.lit(0.0)},
        "dividend_negative": {"dividend_amount": -0.01 * pl.col("close")},
    }
    variant = victim.choose(*ways)
    row = range(victim.at, victim.at + 1)
    bars = computed(victim.bars, row, **ways[variant])
    return Harm(readjusted(bars), row, share, variant)


def zero_volume(victim: Victim) -> Harm:
    """Leave a bar its movement and take its volume."""
    row = range(victim.at, victim.at + 1)
    return Harm(changed(victim.bars, row, volume=pl.lit(0)), row, 0.0, "one_bar")


def volume_spike(victim: Victim) -> Harm:
    """Multiply a bar's volume by 10 to 1000."""
    factor = victim.between(10, 1000)
    row = range(victim.at, victim.at + 1)
    return Harm(scaled(victim.bars, row, factor, "volume"), row, factor, "one_bar")


def volume_unit(victim: Victim) -> Harm:
    """Count the volume of 3 to 20 bars in hundreds or thousands, or multiply it by as much."""
    factor = float(victim.choose("100", "1000"))
    variant = victim.choose("larger", "smaller")
    rows = victim.run(3, 20)
    bars = scaled(victim.bars, rows, factor if variant == "larger" else 1 / factor, "volume")
    return Harm(bars, rows, factor, variant)


def partial_bar(victim: Victim) -> Harm:
    """Show a session as it stood before its end: 2 % to 40 % of its volume, part of its range."""
    share = victim.between(0.02, 0.4)
    row = range(victim.at, victim.at + 1)
    close = pl.col("open") + share * (pl.col("close") - pl.col("open"))
    grown = share**0.5
    bars = computed(
        victim.bars,
        row,
        close=close,
        high=pl.max_horizontal("open", close) + grown * (pl.col("high") - _TOP),
        low=pl.min_horizontal("open", close) - grown * (_BOTTOM - pl.col("low")),
        volume=share * pl.col("volume"),
    )
    return Harm(readjusted(bars), row, share, "one_bar")
