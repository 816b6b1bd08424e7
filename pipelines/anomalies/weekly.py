"""The vendor's weekly bars against its own daily bars.

A weekly bar holds the first open, the highest high, the lowest low, the last close and the volume
of its week, up to its own day: the bar of the running week is keyed by its latest session.
"""

import polars as pl

from pipelines.anomalies.catalogue import ANOMALY_TYPES
from pipelines.anomalies.findings import FINDING_SCHEMA, figures

PRICE_SHARE, VOLUME_SHARE = 0.005, 0.01
"""Differences beyond rounding. Volumes of a few late trades come in after the day."""
_FIELDS = ("open", "high", "low", "close", "volume")


def weekly_disagreements(weekly: pl.DataFrame, daily: pl.DataFrame) -> pl.DataFrame:
    """Return a finding for each weekly bar that its week's daily bars contradict.

    A week without daily bars is not judged. Over a split, only closes are compared: the other
    fields would be counted in different shares.

    Args:
        weekly: symbol, session, prices, volume and `known_at` of the vendor's weekly bars.
        daily: Daily bars with symbol, session, prices, volume and split_coefficient.
    """
    week = pl.col("session").dt.truncate("1w")
    bars = weekly.with_columns(week=week, last="session")
    days = daily.with_columns(week=week).join(
        bars.select("symbol", "week", "last"), on=["symbol", "week"]
    )
    made = (
        days.filter(pl.col("session") <= pl.col("last"))
        .sort("symbol", "session")
        .group_by("symbol", "last", maintain_order=True)
        .agg(
            daily_open=pl.col("open").first(),
            daily_high=pl.col("high").max(),
            daily_low=pl.col("low").min(),
            daily_close=pl.col("close").last(),
            daily_volume=pl.col("volume").sum(),
            days=pl.len(),
            has_split=(pl.col("split_coefficient") != 1).any(),
        )
    )
    compared = bars.join(made, on=["symbol", "last"]).with_columns(
        wrong=pl.concat_list(_is_off(name) for name in _FIELDS)
    )
    return _findings(compared.filter(pl.col("wrong").list.drop_nulls().list.len() > 0))


def _is_off(name: str) -> pl.Expr:
    """Return the field's name where the weekly value is off the daily ones, else null."""
    share = VOLUME_SHARE if name == "volume" else PRICE_SHARE
    difference = (pl.col(name) - pl.col(f"daily_{name}")).abs()
    is_off = difference > share * pl.col(f"daily_{name}").abs()
    is_comparable = ~pl.col("has_split") | pl.lit(name == "close")
    return pl.when(is_off & is_comparable).then(pl.lit(name))


def _findings(wrong: pl.DataFrame) -> pl.DataFrame:
    """Return bars with the names of wrong fields in FINDING_SCHEMA."""
    fields = pl.col("wrong").list.drop_nulls().list.join(", ")
    values = {name: pl.col(name) for name in _FIELDS}
    daily = {f"daily_{name}": pl.col(f"daily_{name}") for name in _FIELDS}
    return (
        wrong.with_columns(
            data_type=pl.lit("weekly"),
            anomaly_type=pl.lit("weekly_mismatch"),
            revision=0,
            severity=pl.lit(ANOMALY_TYPES["weekly_mismatch"].severity),
            message=pl.format(
                "{} of the week to {} disagree with its {} daily bars: close {} and volume {}, "
                "by the days {} and {}",
                fields,
                "session",
                "days",
                "close",
                "volume",
                "daily_close",
                "daily_volume",
            ),
            evidence=figures({**values, **daily}),
            explanation=pl.lit(None),
            is_withheld=False,
        )
        .select(pl.col(column).cast(dtype) for column, dtype in FINDING_SCHEMA.items())
        .sort("symbol", "session")
    )
