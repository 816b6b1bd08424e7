"""Bars that repeat: duplicates of one bar, and prices that stand still."""

import polars as pl

from pipelines.anomalies.findings import Finding
from pipelines.anomalies.measures import WINDOW

FEWEST_REPEATS = 2
"""Repeats that make a run of three sessions."""
FEWEST_ROWS = 20
LIQUID_SHARE, ILLIQUID_SHARE = 0.1, 0.3
"""A symbol of which fewer of the last bars than the first share stand still trades every session;
one of which more than the second do often does not."""


def with_repeats(bars: pl.DataFrame) -> pl.DataFrame:
    """Return bars with `repeats`, how often the bar before the run was repeated, at most 63 times.

    `quiet_share` is the share of bars without trade or movement among the last 63 before the run.
    """
    row, is_repeat = pl.col("row"), pl.col("is_repeat")
    last_other = pl.when(~is_repeat).then(row).forward_fill().over("symbol")
    return (
        bars.with_columns(repeats=(row - last_other).fill_null(row).clip(0, WINDOW))
        .with_columns(
            rows_before=pl.min_horizontal("row", WINDOW) - (pl.col("repeats") - 1).clip(0),
            quiet_before=pl.col("quiet_rows") - (pl.col("repeats") - 1).clip(0),
        )
        .with_columns(
            quiet_share=pl.when(pl.col("rows_before") >= FEWEST_ROWS).then(
                pl.col("quiet_before") / pl.col("rows_before")
            )
        )
    )


def repeat_findings() -> list[Finding]:
    """Return what to look for in bars that repeat."""
    has_range = pl.col("high") > pl.col("low")
    # In a run so long that nothing before it is left to see, prices are surely none.
    is_alone = has_range | (pl.col("quiet_share").fill_null(0.0) < LIQUID_SHARE)
    severity = (
        pl.when(is_alone)
        .then(pl.lit("high"))
        .when(pl.col("quiet_share") < ILLIQUID_SHARE)
        .then(pl.lit("medium"))
        .otherwise(pl.lit("low"))
    )
    figures = {"repeats": pl.col("repeats"), "quiet_share": pl.col("quiet_share").round(4)}
    return [
        Finding(
            "duplicate_bar",
            pl.col("is_duplicate"),
            pl.format("the bar equals that of {}, volume {} included", "duplicate_of", "volume"),
            {"duplicate_of": pl.col("duplicate_of").cast(pl.String), "volume": pl.col("volume")},
        ),
        Finding(
            "stale_prices",
            pl.col("repeats") >= FEWEST_REPEATS,
            pl.format(
                "close {} and the other prices stand still for {} sessions, volume is {}",
                "close",
                pl.col("repeats") + 1,
                "volume",
            ),
            figures,
            severity=severity,
        ),
    ]
