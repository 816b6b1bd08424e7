"""Volume that is out of line with the symbol's own, splits taken into account."""

from math import log

import polars as pl

from pipelines.anomalies.findings import Finding, rounded
from pipelines.anomalies.measures import WINDOW

SPIKE, COLLAPSE, UNIT = log(6.0), -log(8.0), log(60.0)
"""Least factors of the usual volume."""
DEVIATIONS = 4.5
PARTIAL, PARTIAL_DEVIATIONS, PARTIAL_RANGE = log(4.0), 2.5, 0.5
"""With half the usual range, less is enough: a part of a session has a part of both."""
EARLY = log(2.5)
"""A session that ends early has about two fifths of the usual volume."""
RAISED, SUDDEN_DEVIATIONS = log(3.0), 3.5
"""Beside a spike over the usual, one over the last days that lifts volume over the usual too."""
MOVED, RANGED = 5.0, 3.5
"""Deviations of the move, or usual ranges, that come with a volume of their own."""
CROWDED, CROWDING = log(20.0), 0.14
"""Volume beyond so many times the usual is explained by a move of that size and no smaller."""
OFTEN_QUIET = 0.1
"""A symbol of which more of the last bars stand still or lack volume does not trade daily."""


def volume_findings() -> list[Finding]:
    """Return what to look for in volume."""
    volume = pl.col("volume_move")
    limit = pl.max_horizontal(pl.lit(SPIKE), DEVIATIONS * pl.col("volume_deviation"))
    step = pl.col("volume_step")
    is_sudden = (volume >= RAISED) & (
        step >= pl.max_horizontal(pl.lit(SPIKE), SUDDEN_DEVIATIONS * pl.col("volume_deviation"))
    )
    is_enough = (volume < CROWDED) | (pl.col("move").abs() > CROWDING)
    has_moved = is_enough & (
        (pl.col("move").abs() > MOVED * pl.col("deviation"))
        | (pl.col("range") > RANGED * pl.col("usual_range"))
    )
    is_unit = volume.abs() >= UNIT
    factor = volume.exp().round(3)
    said = pl.format("volume {} is {} times the usual", "volume", factor)
    figures = {
        "volume_move": rounded(volume),
        "volume_deviation": rounded(pl.col("volume_deviation")),
        "move": rounded(pl.col("move")),
    }
    explained = pl.when(has_moved).then(pl.lit("the price moved with it"))
    has_moved_at_all = (pl.col("move").fill_null(0.0) != 0) | (pl.col("range").fill_null(0.0) != 0)
    is_often_quiet = pl.col("quiet_rows").fill_null(0) > OFTEN_QUIET * WINDOW
    return [
        Finding("volume_unit", is_unit & ~(has_moved & (volume > 0)), said, figures),
        Finding(
            "volume_spike",
            ((volume >= limit) | is_sudden) & (~is_unit | has_moved),
            said,
            figures,
            severity=pl.when(has_moved).then(pl.lit("low")).otherwise(pl.lit("medium")),
            explanation=explained,
        ),
        Finding(
            "volume_collapse",
            _is_collapsed(volume, limit) & ~is_unit,
            said,
            figures,
        ),
        Finding(
            "zero_volume",
            (pl.col("volume") == 0) & (has_moved_at_all | ~is_often_quiet),
            pl.when(has_moved_at_all)
            .then(pl.format("no share was traded, and the close went to {}", "close"))
            .otherwise(pl.format("no share was traded, the close stayed at {}", "close")),
            {"move": rounded(pl.col("move")), "quiet_rows": pl.col("quiet_rows")},
            severity=pl.when(is_often_quiet).then(pl.lit("low")).otherwise(pl.lit("medium")),
        ),
    ]


def _is_collapsed(volume: pl.Expr, limit: pl.Expr) -> pl.Expr:
    """Return whether volume is a sliver of what the session should have, or a part as its range is.

    Args:
        volume: Log of volume over the usual.
        limit: How far above the usual a spike begins.
    """
    expected = pl.when("is_early").then(-EARLY).otherwise(0.0)
    is_sliver = volume - expected <= -pl.max_horizontal(limit, pl.lit(-COLLAPSE))
    partial = pl.max_horizontal(pl.lit(PARTIAL), PARTIAL_DEVIATIONS * pl.col("volume_deviation"))
    is_narrow = pl.col("range") <= PARTIAL_RANGE * pl.col("usual_range")
    return is_sliver | ((volume <= -partial) & is_narrow & ~pl.col("is_early"))
