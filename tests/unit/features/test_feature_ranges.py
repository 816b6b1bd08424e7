"""Stored features against what their formulas can give."""

import polars as pl
import pytest

from pipelines.features.ranges import FLOAT_TOLERANCE, out_of_bounds, statistics_table
from pipelines.features.technical import TECHNICAL

BOUNDED = next(f for f in TECHNICAL.features if f.bounds[0] is not None)


def statistics_of(minimum: float | None, maximum: float | None) -> pl.DataFrame:
    """Return the extremes of one feature."""
    numbers = {name: [0.5] for name in ("null_share", "mean", "std", "q05", "q50", "q95")}
    return pl.DataFrame(
        {"feature": [BOUNDED.name], "minimum": [minimum], "maximum": [maximum], **numbers},
        schema_overrides={"minimum": pl.Float64, "maximum": pl.Float64},
    )


def low_of(feature_bounds: tuple[float | None, float | None]) -> float:
    """Return the lower bound of a feature that has one."""
    assert feature_bounds[0] is not None
    return feature_bounds[0]


def test_extremes_at_a_bound_are_allowed_up_to_single_precision() -> None:
    """A value is stored in 32 bits; its last digit is no fault."""
    low = low_of(BOUNDED.bounds)
    room = FLOAT_TOLERANCE * max(1.0, abs(low)) / 2
    assert out_of_bounds(TECHNICAL, statistics_of(low - room, low)) == []


def test_a_value_beyond_its_bound_is_told_with_both() -> None:
    """A feature that its formula can't give comes from a broken computation."""
    low = low_of(BOUNDED.bounds)
    (sentence,) = out_of_bounds(TECHNICAL, statistics_of(low - 1, low))
    assert sentence.startswith(f"{BOUNDED.name} reaches from {low - 1:g} to {low:g}, its formula")


@pytest.mark.parametrize("rows", [statistics_of(None, None), statistics_of(0, 0).clear()])
def test_a_feature_without_values_breaks_nothing(rows: pl.DataFrame) -> None:
    """The first night has short histories and hence nothing but nulls."""
    assert out_of_bounds(TECHNICAL, rows) == []


def test_the_spread_is_a_table_with_a_dash_for_nothing() -> None:
    """What a person reads in the UI."""
    table = statistics_table(statistics_of(None, 2.0))
    assert f"| {BOUNDED.name} | 0.5 | 0.5 | 0.5 | – | 0.5 | 0.5 | 0.5 | 2 |" in table
