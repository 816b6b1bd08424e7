"""Weekly bars as a vendor sends them, and the fault that they contradict the daily ones."""

import polars as pl

from pipelines.anomalies.fault_injection.series import Harm, Victim, scaled
from pipelines.markets.recorded import BAR_SCHEMA


def weekly_bars(daily: pl.DataFrame) -> pl.DataFrame:
    """Return the weekly bars that follow from daily ones, in BAR_SCHEMA.

    A week is dated by its last session, ends with the adjusted close of that session, and sums up
    volume and dividends.
    """
    return (
        daily.sort("symbol", "session")
        .group_by("symbol", week=pl.col("session").dt.truncate("1w"), maintain_order=True)
        .agg(
            pl.col("session", "close", "adjusted_close").last(),
            pl.col("open").first(),
            pl.col("high").max(),
            pl.col("low").min(),
            pl.col("volume", "dividend_amount").sum(),
            pl.col("split_coefficient").product(),
        )
        .select(BAR_SCHEMA.names())
    )


def weekly_mismatch(victim: Victim) -> Harm:
    """Put a price of a weekly bar off by 1 % to 50 %, or leave a day out of its volume.

    The prices are the close and those that a day of the week could have had: a high that is too
    high, a low that is too low. A day is 10 % to 40 % of a week.
    """
    row = range(victim.at, victim.at + 1)
    share = victim.between(0.01, 0.5)
    variant = victim.choose("close", "high", "low", "volume")
    factor = 1 + share if variant == "high" else 1 / (1 + share)
    if variant == "close" and victim.chance(0.5):
        factor = 1 + share
    if variant == "volume":
        factor = 1 - victim.between(0.1, 0.4)
    return Harm(scaled(victim.bars, row, factor, variant), row, share, variant)
