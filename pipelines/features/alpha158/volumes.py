"""The features of Alpha158 that look back over volume."""

from pipelines.features.alpha158.families import TINY, Family, group_of
from pipelines.features.expressions import Expression
from pipelines.features.groups import RATIO
from pipelines.features.language import (
    close,
    correlation,
    delay,
    larger,
    log,
    mean,
    std,
    total,
    volume,
)

_change = volume - delay(volume, 1)
_rise = larger(_change, 0)
_fall = larger(delay(volume, 1) - volume, 0)
_weighted_move = abs(close / delay(close, 1) - 1) * volume


def _share_of_moves(moved: Expression, rows: int) -> Expression:
    """Return what part of all changes of volume goes one way."""
    return total(moved, rows) / (total(abs(_change), rows) + TINY)


def _surplus_of_rises(rows: int) -> Expression:
    surplus = total(_rise, rows) - total(_fall, rows)
    return surplus / (total(abs(_change), rows) + TINY)


def _correlation_of_changes(rows: int) -> Expression:
    growth = log(volume / delay(volume, 1) + 1)
    return correlation(close / delay(close, 1), growth, rows)


ALPHA158_CORRELATIONS = group_of(
    "alpha158_correlations",
    "Alpha158: how price and volume move together.",
    (
        Family(
            "corr",
            lambda n: correlation(close, log(volume + 1), n),
            "correlation",
            "Correlation of close and log volume",
            (-1, 1),
        ),
        Family(
            "cord",
            _correlation_of_changes,
            "correlation",
            "Correlation of the changes of close and volume",
            (-1, 1),
        ),
    ),
)

ALPHA158_VOLUMES = group_of(
    "alpha158_volumes",
    "Alpha158: mean and deviation of volume, and of moves weighted by it.",
    (
        Family(
            "vma",
            lambda n: mean(volume, n) / (volume + TINY),
            RATIO,
            "Mean volume over the last one",
            (0, None),
        ),
        Family(
            "vstd",
            lambda n: std(volume, n) / (volume + TINY),
            RATIO,
            "Deviation of volume over the last one",
            (0, None),
        ),
        Family(
            "wvma",
            lambda n: std(_weighted_move, n) / (mean(_weighted_move, n) + TINY),
            RATIO,
            "Deviation over mean of the moves weighted by volume",
            (0, None),
        ),
    ),
)

ALPHA158_VOLUME_CHANGES = group_of(
    "alpha158_volume_changes",
    "Alpha158: rises and falls of volume as shares of all its changes.",
    (
        Family(
            "vsump",
            lambda n: _share_of_moves(_rise, n),
            "share of changes",
            "Rises of volume",
            (0, 1),
        ),
        Family(
            "vsumn",
            lambda n: _share_of_moves(_fall, n),
            "share of changes",
            "Falls of volume",
            (0, 1),
        ),
        Family(
            "vsumd",
            _surplus_of_rises,
            "share of changes",
            "Rises of volume less its falls",
            (-1, 1),
        ),
    ),
)
