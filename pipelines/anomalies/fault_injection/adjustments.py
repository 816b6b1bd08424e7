"""Faults of the adjustment: adjusted closes that drift, dividends done wrongly."""

import polars as pl

from pipelines.anomalies.fault_injection.series import (
    PRICES,
    Harm,
    Victim,
    changed,
    readjusted,
    scaled,
)


def adjusted_close_drift(victim: Victim) -> Harm:
    """Put the adjusted close off by 1 % to 50 %, up or down.

    `one_row`: of one bar; `step`: of all bars before; `gradual`: of all bars before, the error
    fading out over 5 to 15 sessions. In all cases the wrong rows are those whose change
    contradicts the bars.
    """
    share = victim.between(0.01, 0.5)
    factor = 1 + share if victim.chance(0.5) else 1 / (1 + share)
    variant = victim.choose("one_row", "step", "gradual")
    row = range(victim.at, victim.at + 1)
    if variant == "one_row":
        return Harm(scaled(victim.bars, row, factor, "adjusted_close"), row, share, variant)
    rows = row if variant == "step" else victim.run(5, 15)
    # 1 before the run, 0 from its last row on.
    left = ((rows.stop - 1 - pl.int_range(pl.len())) / len(rows)).clip(0, 1)
    drifted = pl.col("adjusted_close") * (left * pl.lit(factor).log()).exp()
    return Harm(victim.bars.with_columns(adjusted_close=drifted), rows, share, variant)


def dividend_missing(victim: Victim) -> Harm:
    """Pay a dividend and leave it out of the amounts, or of the adjusted close."""
    paid, share = _with_dividend(victim)
    row = range(victim.at, victim.at + 1)
    unpaid = changed(paid, row, dividend_amount=victim.bars["dividend_amount"][victim.at])
    variant = victim.choose("amount", "adjusted_close")
    if variant == "amount":
        bars = unpaid.with_columns(readjusted(paid)["adjusted_close"])
    else:
        bars = paid.with_columns(readjusted(unpaid)["adjusted_close"])
    return Harm(bars, row, share, variant)


def dividend_nowhere(victim: Victim) -> Harm:
    """Pay a dividend that the vendor says nothing of, neither as amount nor as adjustment."""
    paid, share = _with_dividend(victim)
    row = range(victim.at, victim.at + 1)
    unpaid = changed(paid, row, dividend_amount=victim.bars["dividend_amount"][victim.at])
    return Harm(readjusted(unpaid), row, share, "silent")


def dividend_twice(victim: Victim) -> Harm:
    """Pay a dividend once; list it again 1 to 3 sessions later, or count it twice in one place."""
    paid, share = _with_dividend(victim)
    row = range(victim.at, victim.at + 1)
    variant = victim.choose("listed_again", "amount", "adjusted_close")
    amount = paid["dividend_amount"][victim.at]
    if variant == "listed_again":
        again = victim.at + int(victim.rng.integers(1, 4))
        row = range(again, again + 1)
        bars = readjusted(changed(paid, row, dividend_amount=pl.lit(amount)))
        return Harm(bars, row, share, variant)
    doubled = changed(paid, row, dividend_amount=pl.lit(2 * amount))
    amounts, adjusted = (doubled, paid) if variant == "amount" else (paid, doubled)
    bars = amounts.with_columns(readjusted(adjusted)["adjusted_close"])
    return Harm(bars, row, share, variant)


def _with_dividend(victim: Victim) -> tuple[pl.DataFrame, float]:
    """Return bars with a dividend of 0.2 % to 3 % that everybody got right, and its share."""
    share = victim.between(0.002, 0.03)
    before = victim.bars["close"][victim.at - 1]
    row = range(victim.at, victim.at + 1)
    lower = scaled(victim.bars, victim.onward(), 1 - share, *PRICES)
    paid = changed(lower, row, dividend_amount=pl.lit(round(share * before, 4)))
    return readjusted(paid), share
