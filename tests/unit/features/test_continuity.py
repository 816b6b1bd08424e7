"""Features that stand still or come in another unit are named; those that move are not."""

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.features.continuity import (
    FEWEST_SESSIONS,
    Discontinuity,
    continuity_query,
    discontinuities,
)

GROUP: Any = SimpleNamespace(features=[SimpleNamespace(name=name) for name in ("calm", "wild")])
NEWEST = 63


def panel(*, seed: int = 1, symbols: int = 25, sessions: int = NEWEST + 1) -> pl.DataFrame:
    """Return features as they move: normal ones, and heavy tails with every fourth value 0."""
    random = np.random.default_rng(seed)
    shape = (sessions, symbols)
    wild = random.standard_t(3, shape) * (random.random(shape) > 0.25)
    return pl.DataFrame(
        {
            "symbol": [f"S{n}" for n in range(symbols)] * sessions,
            "session": [
                date(2024, 1, 1) + timedelta(days=day)
                for day in range(sessions)
                for _ in range(symbols)
            ],
            "calm": random.standard_normal(shape).ravel(),
            "wild": wild.ravel(),
        }
    )


def found_in(rows: pl.DataFrame) -> list[Discontinuity]:
    """Return what breaks off on the last session of rows, as the lake's query sees them."""
    with duckdb.connect() as connection:
        connection.register("features", rows.to_arrow())
        moves = connection.sql(continuity_query(GROUP, table="features")).pl()
    return discontinuities(moves)


def changed_tonight(rows: pl.DataFrame, value: pl.Expr) -> pl.DataFrame:
    """Return rows whose feature `calm` is another one in the newest session."""
    is_tonight = pl.col("session") == pl.col("session").max()
    return rows.with_columns(pl.when(is_tonight).then(value).otherwise("calm").alias("calm"))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), symbols=st.integers(1, 30))
def test_what_moves_is_left_alone(seed: int, symbols: int) -> None:
    """A false alarm stops a night."""
    assert found_in(panel(seed=seed, symbols=symbols)) == []


@pytest.mark.parametrize("symbols", [3, 25])
def test_a_frozen_feature_is_named(symbols: int) -> None:
    """A vendor that sends yesterday's bars again leaves features where they were."""
    before = pl.col("calm").shift(1).over("symbol", order_by="session")
    (found,) = found_in(changed_tonight(panel(symbols=symbols), before))
    assert found.feature == "calm"
    assert found.fault.startswith(f"frozen: {symbols} of {symbols} symbols")


def test_a_feature_that_is_often_equal_may_be_so_tonight() -> None:
    """Ranks of few symbols and days of the week stay equal for most, time and again."""
    assert found_in(panel().with_columns(calm=pl.col("session").dt.week().cast(pl.Float64))) == []


def flags(*, tonight: float) -> pl.DataFrame:
    """Return a feature that stays equal for 35 to 65 % of 2,000 symbols, tonight for a share."""
    random = np.random.default_rng(5)
    shares = [*np.linspace(0.35, 0.65, NEWEST), tonight]
    moved = np.array([random.random(2000) > share for share in shares])
    values = np.cumsum(moved, axis=0).ravel().astype(float)
    return panel(symbols=2000).with_columns(calm=values)


def test_symbols_that_move_with_the_market_stay_equal_together() -> None:
    """By chance alone no 2,000 symbols would stay equal for 68 % where 50 % are usual."""
    assert found_in(flags(tonight=0.68)) == []


def test_what_is_often_equal_is_named_where_it_freezes() -> None:
    """That a feature stays equal for half of the symbols does not hide that it froze."""
    (found,) = found_in(flags(tonight=1.0))
    assert found.fault.startswith("frozen: 2000 of 2000 symbols")


def test_a_frozen_session_of_before_hides_none_tonight() -> None:
    """What a person let pass once is named again when it comes back."""
    rows = panel()
    is_before = pl.col("session") == pl.col("session").max() - timedelta(days=9)
    before = pl.col("calm").shift(1).over("symbol", order_by="session")
    once = rows.with_columns(calm=pl.when(is_before).then(before).otherwise("calm"))
    assert [one.feature for one in found_in(changed_tonight(once, before))] == ["calm"]


@pytest.mark.parametrize("factor", [1000.0, 100.0, 0.01])
def test_another_unit_is_named(factor: float) -> None:
    """Cents for dollars, thousands for units, per cent for shares."""
    (found,) = found_in(changed_tonight(panel(), pl.col("calm") * factor))
    assert found.feature == "calm"
    assert found.fault.startswith("in another unit: the median size is ")


def test_a_crash_is_no_other_unit() -> None:
    """The most volatile session is ten times a calm one, and must be scored."""
    assert found_in(changed_tonight(panel(), pl.col("calm") * 10)) == []


def test_few_values_near_zero_are_no_smaller_unit() -> None:
    """Of three symbols, all are nearly where they were once in a while."""
    assert found_in(changed_tonight(panel(symbols=3), pl.col("calm") * 1e-3)) == []


def test_a_short_past_tells_nothing() -> None:
    """The first weeks of a desk have nothing to be held against."""
    short = panel(sessions=FEWEST_SESSIONS)
    assert found_in(changed_tonight(short, pl.col("calm") * 1000)) == []
    assert found_in(changed_tonight(panel(sessions=FEWEST_SESSIONS + 1), pl.col("calm") * 1000))


def test_a_feature_without_values_tonight_is_not_judged_by_another_day() -> None:
    """What was wrong last week is not tonight's."""
    rows = changed_tonight(panel(), pl.col("calm") * 1000)
    later = rows.filter(pl.col("session") == pl.col("session").max()).with_columns(
        pl.col("session") + pl.duration(days=1),
        calm=pl.lit(None, pl.Float64),
        wild=pl.col("wild").reverse(),
    )
    assert found_in(pl.concat([rows, later])) == []
