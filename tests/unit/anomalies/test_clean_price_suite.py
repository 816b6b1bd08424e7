"""The gate behind the sweep: the suite of Great Expectations over clean prices."""

import numpy as np
import polars as pl
import pytest

from pipelines.anomalies.suite import (
    BrokenExpectationError,
    expectations_table,
    judge_clean_prices,
    unmet,
)
from tests.support.clean_bars import simulated_clean_prices

CLEAN = simulated_clean_prices(np.random.default_rng(5), symbols=2, sessions=30)


def spoiled(column: str, value: float) -> pl.DataFrame:
    """Return the clean rows with one value of one row changed."""
    is_third = pl.int_range(pl.len()) == 3
    changed = pl.when(is_third).then(pl.lit(value)).otherwise(column).alias(column)
    return CLEAN.with_columns(changed.cast(CLEAN.schema[column]))


def test_clean_rows_meet_every_expectation() -> None:
    """The gate would stop every night."""
    outcomes = judge_clean_prices(CLEAN)
    assert unmet(outcomes) == []
    assert len(outcomes) == 14
    assert "broken" not in expectations_table(outcomes)


@pytest.mark.parametrize(
    ("column", "value", "broken"),
    [
        ("volume", -1, "expect_column_values_to_be_between (volume)"),
        ("split_factor", 0, "expect_column_values_to_be_between (split_factor)"),
        ("high", 0.01, "expect_column_pair_values_a_to_be_greater_than_b (high, open)"),
        ("low", 1e9, "expect_column_pair_values_a_to_be_greater_than_b (close, low)"),
    ],
)
def test_a_bad_row_is_told_by_the_expectation_that_it_breaks(
    column: str, value: float, broken: str
) -> None:
    """A reader of the UI must see what is wrong and in how many rows."""
    outcomes = unmet(judge_clean_prices(spoiled(column, value)))
    assert broken in [outcome.name for outcome in outcomes]
    assert {outcome.unexpected_rows for outcome in outcomes} == {1}
    assert f"| {broken} | broken | 1 |" in expectations_table(outcomes)


def test_a_row_that_is_there_twice_is_told() -> None:
    """The lake has no primary keys."""
    outcomes = unmet(judge_clean_prices(pl.concat([CLEAN, CLEAN.head(1)])))
    assert [outcome.name.split()[0] for outcome in outcomes] == [
        "expect_compound_columns_to_be_unique"
    ]
    assert outcomes[0].unexpected_rows == 2


def test_an_expectation_that_crashes_is_our_fault_and_not_the_datas() -> None:
    """The library reports a crash as a failed expectation: bad data would be looked for."""
    with pytest.raises(BrokenExpectationError, match=r"\(volume\) crashed: .*fault of the suite"):
        judge_clean_prices(CLEAN.drop("volume"))
