"""The thirteen features of Alpha158 that read one bar: its shape (KBAR) and its prices.

Alpha Vantage sends no volume-weighted average price. Its proxy here is the typical price, the mean
of high, low and close.
"""

from pipelines.features.alpha158.families import QLIB, TINY, Bounds
from pipelines.features.expressions import Expression
from pipelines.features.groups import FRACTION, RATIO, Feature, FeatureGroup
from pipelines.features.language import (
    close,
    high,
    larger,
    low,
    open,  # noqa: A004 - the market's word; this module opens no file
    smaller,
)

_RANGE = high - low + TINY
_TYPICAL_PRICE = (high + low + close) / 3
_SHARE = "share of the range"
_NOT_NEGATIVE: Bounds = (0, None)


def _feature(
    name: str, value: Expression, unit: str, description: str, bounds: Bounds = (None, None)
) -> Feature:
    return Feature(name, value, unit, description, QLIB, bounds)


ALPHA158_BARS = FeatureGroup(
    name="alpha158_bars",
    description="Alpha158: the shape of the day's bar, and its prices beside the close.",
    features=(
        _feature("kmid", (close - open) / open, FRACTION, "Body of the bar over the open."),
        _feature(
            "klen", (high - low) / open, FRACTION, "Range of the bar over the open.", _NOT_NEGATIVE
        ),
        _feature("kmid2", (close - open) / _RANGE, _SHARE, "Body of the bar.", (-1, 1)),
        _feature(
            "kup",
            (high - larger(open, close)) / open,
            FRACTION,
            "Upper shadow over the open.",
            _NOT_NEGATIVE,
        ),
        _feature(
            "kup2",
            (high - larger(open, close)) / _RANGE,
            _SHARE,
            "Upper shadow of the bar.",
            (0, 1),
        ),
        _feature(
            "klow",
            (smaller(open, close) - low) / open,
            FRACTION,
            "Lower shadow over the open.",
            _NOT_NEGATIVE,
        ),
        _feature(
            "klow2",
            (smaller(open, close) - low) / _RANGE,
            _SHARE,
            "Lower shadow of the bar.",
            (0, 1),
        ),
        _feature(
            "ksft",
            (2 * close - high - low) / open,
            FRACTION,
            "Twice the close less high and low, over the open.",
        ),
        _feature(
            "ksft2",
            (2 * close - high - low) / _RANGE,
            _SHARE,
            "Place of the close in the bar: 1 at the high, -1 at the low.",
            (-1, 1),
        ),
        _feature("open0", open / close, RATIO, "Open over the close.", _NOT_NEGATIVE),
        _feature("high0", high / close, RATIO, "High over the close.", (1, None)),
        _feature("low0", low / close, RATIO, "Low over the close.", (0, 1)),
        _feature(
            "vwap0",
            _TYPICAL_PRICE / close,
            RATIO,
            "Typical price (high, low and close by a third each, in place of the volume-weighted"
            " average price) over the close.",
            _NOT_NEGATIVE,
        ),
    ),
)
