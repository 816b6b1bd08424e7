"""Faults of the sequence: bars that repeat, come twice, come on closed days, or do not come."""

import polars as pl

from pipelines.anomalies.fault_injection.series import (
    PRICES,
    Harm,
    Victim,
    changed,
    readjusted,
    scaled,
)

LARGEST_SHARE_LOST = 0.9


def stale_run(victim: Victim) -> Harm:
    """Repeat the bar before for 3 to 15 sessions.

    `flat`: its close alone, without volume; `copied`: all of it; `stuck`: its prices, while the
    volume goes on.
    """
    rows = victim.run(3, 15)
    variant = victim.choose("flat", "copied", "stuck")
    before = victim.bars.row(victim.at - 1, named=True)
    values = {name: pl.lit(before["close" if variant == "flat" else name]) for name in PRICES}
    if variant != "stuck":
        values["volume"] = pl.lit(0 if variant == "flat" else before["volume"])
    return Harm(readjusted(changed(victim.bars, rows, **values)), rows, len(rows), variant)


def duplicate_bar(victim: Victim) -> Harm:
    """Let a session come twice with different values, or show the bar before under its date.

    `other_row`: a second row with the values of the bar before, or with prices 1 % to 20 % higher;
    `day_before`: the bar before instead of the bar, volume and all.
    """
    row = range(victim.at, victim.at + 1)
    variant = victim.choose("other_row", "day_before")
    before = victim.bars.row(victim.at - 1, named=True)
    copied = changed(
        victim.bars, row, **{name: pl.lit(before[name]) for name in (*PRICES, "volume")}
    )
    if variant == "day_before":
        return Harm(readjusted(copied), row, 1.0, variant)
    share = victim.between(0.01, 0.2)
    off = scaled(victim.bars, row, 1 + share, *PRICES)
    other = copied if victim.chance(0.5) else off
    return Harm(_with_twin(victim, other), row, share, variant)


def repeated_row(victim: Victim) -> Harm:
    """Send a row twice as it is, which does no harm where one of them is taken."""
    row = range(victim.at, victim.at + 1)
    return Harm(_with_twin(victim, victim.bars), row, 1.0, "same_row")


def off_session(victim: Victim) -> Harm:
    """Add a bar on the closed day that follows: the last one's copy, or moved by up to 3 %."""
    last = victim.bars[victim.at : victim.at + 1]
    later = victim.closed_days.filter(victim.closed_days > last["session"].item())
    day = later[0]
    variant = victim.choose("copied", "moved")
    move = 1.0 if variant == "copied" else victim.between(0.97, 1.03)
    whole = range(1)
    extra = scaled(last, whole, move, *PRICES).with_columns(
        session=pl.lit(day), dividend_amount=pl.lit(0.0), split_coefficient=pl.lit(1.0)
    )
    bars = pl.concat([victim.bars, extra]).sort("session")
    return Harm(readjusted(bars), range(victim.at, victim.at), move, variant, days=(day,))


def gap(victim: Victim) -> Harm:
    """Leave out 1 to 10 sessions on which nothing else happened to the symbol."""
    has_action = (victim.bars["split_coefficient"] != 1) | (victim.bars["dividend_amount"] != 0)
    start = victim.at + int(has_action[victim.at])
    stop = max(start + 1, victim.run(1, 10).stop)
    rows = range(start, next((row for row in range(start + 1, stop) if has_action[row]), stop))
    bars = pl.concat([victim.bars[: rows.start], victim.bars[rows.stop :]])
    return Harm(bars, rows, len(rows), "missing")


def shrinking_body(victim: Victim) -> Harm:
    """Send a history again without 1 bar to 90 % of its bars, that were sent before.

    `start`: without the oldest ones; `middle`: without some in a row; `end`: without the newest.
    """
    height = victim.bars.height
    lost = round((LARGEST_SHARE_LOST * height) ** victim.rng.random())
    variant = victim.choose("start", "middle", "end")
    inner = int(victim.rng.integers(1, height - lost))
    first = {"start": 0, "middle": inner, "end": height - lost}[variant]
    rows = range(first, first + lost)
    bars = pl.concat([victim.bars[: rows.start], victim.bars[rows.stop :]])
    return Harm(bars, rows, lost, variant)


def _with_twin(victim: Victim, other: pl.DataFrame) -> pl.DataFrame:
    """Return the bars with a second row of the fault's session, after the first."""
    after = victim.at + 1
    return pl.concat([victim.bars[:after], other[victim.at : after], victim.bars[after:]])
