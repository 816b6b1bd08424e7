"""Ranks and means over a session: ties, small sessions, nulls, and any order of rows."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from pipelines.features.expressions import Expression
from pipelines.features.language import close, delay, dollar_volume, rank, session_mean
from tests.support.clean_bars import simulated_clean_prices
from tests.support.feature_queries import values_of

DAY = date(2020, 1, 1)


def one_session(values: list[float | None]) -> pl.DataFrame:
    """Return bars of one session in which symbol number n has this leaf `close`."""
    bar = simulated_clean_prices(np.random.default_rng(1), symbols=1, sessions=1, missing_share=0)
    return pl.concat([bar] * len(values)).with_columns(
        symbol=pl.Series([f"S{number}" for number in range(len(values))]),
        session=pl.lit(DAY),
        total_return_index=pl.Series(values, dtype=pl.Float64),
    )


def values_in(tree: Expression, values: list[float | None]) -> list[float | None]:
    """Return the values of an expression in a session, by symbol."""
    return values_of(tree, one_session(values))["value"].to_list()


@pytest.mark.parametrize(
    ("values", "places"),
    [
        ([3.0, 1.0, 2.0], [1.0, 0.0, 0.5]),
        ([1.0, 1.0], [0.5, 0.5]),
        ([2.0, 1.0, 2.0, 3.0, 2.0], [0.5, 0.0, 0.5, 1.0, 0.5]),
        ([None, 5.0, 4.0], [None, 1.0, 0.0]),
        ([None, 5.0], [None, None]),
        ([5.0], [None]),
    ],
    ids=["distinct", "tie", "ties", "a null", "one value", "one symbol"],
)
def test_places_reach_from_0_to_1_and_equals_share_theirs(
    values: list[float | None], places: list[float | None]
) -> None:
    """A rank among one would be a number that says nothing."""
    assert values_in(rank(close), values) == places


@pytest.mark.parametrize(
    ("values", "means"),
    [
        ([3.0, 1.0], [2.0, 2.0]),
        ([None, 1.0, 2.0], [None, 1.5, 1.5]),
        ([1.0, None], [None, None]),
        ([1e13, 1.0], [None, None]),
    ],
    ids=["mean", "a null", "one value", "beyond what is added up"],
)
def test_a_mean_is_that_of_all_values_of_the_session(
    values: list[float | None], means: list[float | None]
) -> None:
    """A mean over fewer symbols than the session has would pass for the market."""
    assert values_in(session_mean(close), values) == means


def test_a_mean_has_the_same_bits_in_any_order_of_rows() -> None:
    """The sum of DOUBLEs depends on their order, and a rerun would write other rows."""
    bars = one_session(np.random.default_rng(2).lognormal(size=999).tolist())
    shuffled = bars.sample(fraction=1.0, shuffle=True, seed=3)
    one, other = (values_of(session_mean(close), rows)["value"] for rows in (bars, shuffled))
    assert one.equals(other)
    assert one[0] == pytest.approx(bars["total_return_index"].mean(), rel=1e-11)


def test_a_later_symbol_changes_only_the_sessions_in_which_it_has_rows() -> None:
    """Each listing would rewrite the past of every symbol."""
    bars = simulated_clean_prices(np.random.default_rng(8), symbols=3, sessions=60)
    first = bars.filter(symbol="S0").sort("session").slice(40, 1)
    newcomer = first.with_columns(symbol=pl.lit("NEW"), volume=pl.lit(10**9, dtype=pl.Int64))
    tree = rank(dollar_volume)
    before, after = (values_of(tree, rows) for rows in (bars, pl.concat([bars, newcomer])))
    after = after.filter(pl.col("symbol") != "NEW")
    is_same = before["value"].eq_missing(after["value"])
    assert set(before.filter(~is_same)["session"]) == set(newcomer["session"])


def test_values_that_look_back_can_be_compared_and_combined() -> None:
    """Market-relative returns subtract what a session shares from what a symbol has."""
    bars = simulated_clean_prices(np.random.default_rng(9), symbols=4, sessions=30)
    growth = close / delay(close, 5)
    table = values_of(growth, bars).with_columns(
        other=values_of(growth - session_mean(growth), bars)["value"]
    )
    known = table.drop_nulls("value").filter(pl.len().over("session") > 1)
    sums = known.group_by("session").agg(pl.col("other").sum())["other"]
    assert len(sums) > 10
    assert sums.abs().max() < 1e-9
