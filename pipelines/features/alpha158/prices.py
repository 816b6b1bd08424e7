"""The features of Alpha158 that look back over prices."""

from pipelines.features.alpha158.families import TINY, Family, group_of
from pipelines.features.expressions import Expression
from pipelines.features.groups import FRACTION, RATIO
from pipelines.features.language import (
    close,
    delay,
    high,
    larger,
    low,
    maximum,
    mean,
    minimum,
    place,
    position_of_maximum,
    position_of_minimum,
    quantile,
    r_squared,
    residual,
    slope,
    std,
    total,
)

_SHARE = "share of the window"
_change = close - delay(close, 1)
_gain = larger(_change, 0)
_loss = larger(delay(close, 1) - close, 0)


def _share_of_moves(moved: Expression, rows: int) -> Expression:
    """Return what part of all moves of the window goes one way."""
    return total(moved, rows) / (total(abs(_change), rows) + TINY)


def _surplus_of_gains(rows: int) -> Expression:
    surplus = total(_gain, rows) - total(_loss, rows)
    return surplus / (total(abs(_change), rows) + TINY)


def _place_in_range(rows: int) -> Expression:
    lowest, highest = minimum(low, rows), maximum(high, rows)
    return (close - lowest) / (highest - lowest + TINY)


ALPHA158_LEVELS = group_of(
    "alpha158_levels",
    "Alpha158: earlier and mean closes beside the last one, and their deviation.",
    (
        Family(
            "roc",
            lambda n: delay(close, n) / close,
            RATIO,
            "Earlier close over the close",
            (0, None),
        ),
        Family(
            "ma", lambda n: mean(close, n) / close, RATIO, "Mean close over the close", (0, None)
        ),
        Family(
            "std",
            lambda n: std(close, n) / close,
            FRACTION,
            "Deviation of the close over the close",
            (0, None),
        ),
    ),
)

ALPHA158_TRENDS = group_of(
    "alpha158_trends",
    "Alpha158: the line through the last closes by least squares.",
    (
        Family(
            "beta",
            lambda n: slope(close, n) / close,
            "fraction per session",
            "Slope of the close over the close",
        ),
        Family(
            "rsqr",
            lambda n: r_squared(close, n),
            _SHARE,
            "Share of the close's variance that a line explains",
            (0, 1),
        ),
        Family(
            "resi",
            lambda n: residual(close, n) / close,
            FRACTION,
            "Close less the line through the closes, over the close",
        ),
    ),
)

ALPHA158_EXTREMES = group_of(
    "alpha158_extremes",
    "Alpha158: highest and lowest prices beside the close, and its place between them.",
    (
        Family(
            "max",
            lambda n: maximum(high, n) / close,
            RATIO,
            "Highest price over the close",
            (1, None),
        ),
        Family(
            "min", lambda n: minimum(low, n) / close, RATIO, "Lowest price over the close", (0, 1)
        ),
        Family(
            "rsv", _place_in_range, "share of the range", "Place of the close in the range", (0, 1)
        ),
    ),
)

ALPHA158_EXTREME_DAYS = group_of(
    "alpha158_extreme_days",
    "Alpha158: how long ago the highest and the lowest price were.",
    (
        Family(
            "imax",
            lambda n: position_of_maximum(high, n) / n,
            _SHARE,
            "Place in time of the highest price",
            (0, 1),
        ),
        Family(
            "imin",
            lambda n: position_of_minimum(low, n) / n,
            _SHARE,
            "Place in time of the lowest price",
            (0, 1),
        ),
        Family(
            "imxd",
            lambda n: (position_of_maximum(high, n) - position_of_minimum(low, n)) / n,
            _SHARE,
            "Highest price's place in time less the lowest one's",
            (-1, 1),
        ),
    ),
)

ALPHA158_PLACES = group_of(
    "alpha158_places",
    "Alpha158: quantiles of the close, and its place among the last closes.",
    (
        Family(
            "qtlu",
            lambda n: quantile(close, 0.8, n) / close,
            RATIO,
            "80 % quantile of the close over the close",
            (0, None),
        ),
        Family(
            "qtld",
            lambda n: quantile(close, 0.2, n) / close,
            RATIO,
            "20 % quantile of the close over the close",
            (0, None),
        ),
        Family(
            "rank", lambda n: place(close, n), _SHARE, "Place of the close among the closes", (0, 1)
        ),
    ),
)

ALPHA158_DAYS = group_of(
    "alpha158_days",
    "Alpha158: shares of the sessions that closed higher or lower.",
    (
        Family(
            "cntp",
            lambda n: mean(close > delay(close, 1), n),
            _SHARE,
            "Share of rising sessions",
            (0, 1),
        ),
        Family(
            "cntn",
            lambda n: mean(close < delay(close, 1), n),
            _SHARE,
            "Share of falling sessions",
            (0, 1),
        ),
        Family(
            "cntd",
            lambda n: mean(close > delay(close, 1), n) - mean(close < delay(close, 1), n),
            _SHARE,
            "Share of rising sessions less that of falling ones",
            (-1, 1),
        ),
    ),
)

ALPHA158_GAINS = group_of(
    "alpha158_gains",
    "Alpha158: gains and losses of the close as shares of all its moves.",
    (
        Family("sump", lambda n: _share_of_moves(_gain, n), "share of moves", "Gains", (0, 1)),
        Family("sumn", lambda n: _share_of_moves(_loss, n), "share of moves", "Losses", (0, 1)),
        Family("sumd", _surplus_of_gains, "share of moves", "Gains less losses", (-1, 1)),
    ),
)
