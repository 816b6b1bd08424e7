"""Faults of the level: wrong unit, splits that were done wrongly, another symbol's bars."""

import polars as pl

from pipelines.anomalies.fault_injection.series import (
    PRICES,
    Harm,
    Victim,
    at_new_level,
    changed,
    readjusted,
    scaled,
)

SPLIT_RATIOS = (1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0)
"""From 3:2 to 10:1."""
REVERSE_SHARE = 0.3
"""So many of the splits join shares."""
DECIMAL_SHARE = 0.7
"""So many of the wrong units are powers of ten; the rest are like currencies."""


def unit_of_bar(victim: Victim) -> Harm:
    """Show all prices of one bar in a unit that is 10 to 1000 times smaller or larger."""
    return _in_unit(victim, range(victim.at, victim.at + 1), *PRICES)


def unit_of_field(victim: Victim) -> Harm:
    """Show one price of one bar in a wrong unit."""
    return _in_unit(victim, range(victim.at, victim.at + 1), victim.choose(*PRICES))


def unit_of_run(victim: Victim) -> Harm:
    """Show all prices of 2 to 10 bars in a wrong unit."""
    return _in_unit(victim, victim.run(2, 10), *PRICES)


def split_not_applied(victim: Victim) -> Harm:
    """Split the shares, and let the vendor say nothing of it: no coefficient, ever."""
    ratio = _split_ratio(victim)
    rows = victim.onward()
    bars = at_new_level(victim.bars, rows, ratio)
    return Harm(readjusted(bars), rows, ratio, "forward" if ratio > 1 else "reverse")


def split_applied_twice(victim: Victim) -> Harm:
    """Split the shares once and divide the prices twice, or list the split twice."""
    ratio = _split_ratio(victim)
    bars = _with_split(victim.bars, victim.at, ratio)
    variant = victim.choose("prices_for_good", "prices_for_days", "coefficient")
    if variant == "coefficient":
        rows = range(victim.at + 1, victim.at + 2)
        bars = scaled(bars, rows, ratio, "split_coefficient")
    else:
        rows = victim.onward() if variant == "prices_for_good" else victim.run(1, 10)
        bars = at_new_level(bars, rows, ratio)
    return Harm(readjusted(bars), rows, ratio, variant)


def split_on_some_rows(victim: Victim) -> Harm:
    """Split the shares, and let 1 to 10 bars stand at another level than their neighbours.

    `late`: the bars from the split on are still at the old level; `early`: those before are at
    the new one already; `island`: there was no split, and some bars are divided by one.
    """
    ratio = _split_ratio(victim)
    rows = victim.run(1, 10)
    variant = victim.choose("late", "early", "island")
    bars = victim.bars
    if variant == "late":
        bars = at_new_level(_with_split(bars, rows.start, ratio), rows, 1 / ratio)
    if variant == "early":
        bars = at_new_level(_with_split(bars, rows.stop, ratio), rows, ratio)
    if variant == "island":
        bars = at_new_level(bars, rows, ratio)
    return Harm(readjusted(bars), rows, ratio, variant)


def wrong_symbol(victim: Victim) -> Harm:
    """Answer with another symbol's bars, for 1 to 10 sessions or for good.

    Raises:
        ValueError: there is no other symbol.
    """
    if victim.donor is None:
        message = "wrong_symbol needs a donor: inject it into a panel of at least two symbols"
        raise ValueError(message)
    variant = victim.choose("for_days", "for_good")
    wanted = victim.run(1, 10) if variant == "for_days" else victim.onward()
    theirs = victim.donor.rename(lambda name: name if name == "session" else f"donor_{name}")
    beside = victim.bars.join(theirs, on="session", how="left", maintain_order="left")
    rows = _unbroken(wanted, beside["donor_close"].is_not_null(), victim.bars)
    names = (*PRICES, "volume", "dividend_amount", "split_coefficient")
    bars = changed(beside, rows, **{name: pl.col(f"donor_{name}") for name in names})
    ratio = float(bars["close"][victim.at] / victim.bars["close"][victim.at])
    return Harm(readjusted(bars), rows, ratio, variant)


def _in_unit(victim: Victim, rows: range, *columns: str) -> Harm:
    """Multiply or divide some columns by a factor from 10 to 1000."""
    if victim.chance(DECIMAL_SHARE):
        factor = float(victim.choose("10", "100", "1000"))
    else:
        factor = victim.between(10, 1000)
    variant = victim.choose("larger", "smaller")
    bars = scaled(victim.bars, rows, factor if variant == "larger" else 1 / factor, *columns)
    named = variant if len(columns) > 1 else f"{columns[0]}_{variant}"
    return Harm(readjusted(bars), rows, factor, named)


def _split_ratio(victim: Victim) -> float:
    """Return new shares for an old one."""
    ratio = float(victim.choose(*map(str, SPLIT_RATIOS)))
    return 1 / ratio if victim.chance(REVERSE_SHARE) else ratio


def _with_split(bars: pl.DataFrame, row: int, ratio: float) -> pl.DataFrame:
    """Return bars with a split that everybody got right."""
    after = at_new_level(bars, range(row, bars.height), ratio)
    return scaled(after, range(row, row + 1), ratio, "split_coefficient")


def _unbroken(wanted: range, is_there: pl.Series, bars: pl.DataFrame) -> range:
    """Return the wanted rows up to where the donor ends.

    A run ends before a split of the victim's own: to lose that would be a second fault.
    """
    stop = wanted.start
    is_own_split = bars["split_coefficient"] != 1
    until_the_end = wanted.stop == bars.height
    while stop < wanted.stop and is_there[stop] and (until_the_end or not is_own_split[stop]):
        stop += 1
    return range(wanted.start, stop)
