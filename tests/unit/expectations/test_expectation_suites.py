"""The gates behind prices, features and scores: the library and the sweep say the same."""

from datetime import date
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest

from pipelines.expectations.features import FEATURE_SUITES
from pipelines.expectations.prices import CLEAN_PRICE_SUITE
from pipelines.expectations.rules import Suite
from pipelines.expectations.scores import BAR_SCORE_SUITE, SIGNAL_SCORE_SUITE
from pipelines.expectations.suite import (
    BrokenExpectationError,
    Outcome,
    judge,
    outcomes_table,
    unmet,
)
from pipelines.signals.nightly import SIGNAL_SCORES_EMPTY
from tests.support.clean_bars import simulated_clean_prices
from tests.support.quality_tables import rows_of

CLEAN = simulated_clean_prices(np.random.default_rng(5), symbols=2, sessions=30)
SIGNALS = pl.DataFrame(
    [
        {
            "symbol": symbol,
            "session": date(2013, 3, 1),
            "horizon": 1,
            "night_id": "n",
            "origin": "live",
            "model_version": 1,
            "trained_through": date(2013, 2, 1),
            "raw_probability": 0.6,
            "probability": 0.6,
            "base_rate": 0.5,
            "confidence": 0.3,
            "recommendation": "buy",
            "abstain_reason": None,
            "contributions": "{}",
        }
        for symbol in ("FB", "IBM")
    ],
    schema=SIGNAL_SCORES_EMPTY.schema,
)
BAR_SCORES = rows_of("bar_scores", {"symbol": "FB"}, {"reviewed_score": 0.5})


def swept(suite: Suite, rows: pl.DataFrame) -> list[int]:
    """Return what the sweep counts in rows that are the whole table."""
    with duckdb.connect() as connection:
        connection.register(suite.table.name, rows.to_arrow())
        return connection.sql(suite.sweep_query()).pl()["rows_against"].to_list()


def judged(suite: Suite, rows: pl.DataFrame) -> list[Outcome]:
    """Judge rows that are the whole table."""
    return judge(suite, rows, swept=swept(suite, rows))


def spoiled(rows: pl.DataFrame, column: str, value: Any) -> pl.DataFrame:
    """Return rows with one value of the second one changed."""
    is_second = pl.int_range(pl.len()) == 1
    changed = pl.when(is_second).then(pl.lit(value)).otherwise(column)
    return rows.with_columns(changed.cast(rows.schema[column]).alias(column))


@pytest.mark.parametrize(
    ("suite", "rows", "expectations"),
    [
        pytest.param(CLEAN_PRICE_SUITE, CLEAN, 14, id="clean prices"),
        pytest.param(SIGNAL_SCORE_SUITE, SIGNALS, 9, id="signals"),
        pytest.param(BAR_SCORE_SUITE, BAR_SCORES, 7, id="bar scores"),
    ],
)
def test_good_rows_meet_every_expectation(
    suite: Suite, rows: pl.DataFrame, expectations: int
) -> None:
    """The gate would stop every night, or warn of nothing until nobody looks."""
    outcomes = judged(suite, rows)
    assert unmet(outcomes) == []
    assert len(outcomes) == expectations
    assert "broken" not in outcomes_table(outcomes)


@pytest.mark.parametrize(
    ("suite", "rows", "column", "value", "broken"),
    [
        (CLEAN_PRICE_SUITE, CLEAN, "volume", -1, "volume ≥ 0"),
        (CLEAN_PRICE_SUITE, CLEAN, "split_factor", 0, "split_factor > 0"),
        (CLEAN_PRICE_SUITE, CLEAN, "high", 0.01, "high ≥ open"),
        (CLEAN_PRICE_SUITE, CLEAN, "low", 1e9, "close ≥ low"),
        (SIGNAL_SCORE_SUITE, SIGNALS, "probability", 1.0001, "probability ≥ 0 and ≤ 1"),
        (SIGNAL_SCORE_SUITE, SIGNALS, "recommendation", "maybe", "recommendation is one of"),
        (
            *(SIGNAL_SCORE_SUITE, SIGNALS, "trained_through", date(2013, 3, 1)),
            "session > trained_through",
        ),
        (BAR_SCORE_SUITE, BAR_SCORES, "p_value", -0.1, "p_value ≥ 0 and ≤ 1"),
        (BAR_SCORE_SUITE, BAR_SCORES, "applies_from", date(2013, 3, 2), "session ≥ applies_from"),
    ],
)
def test_a_bad_row_is_told_by_the_expectation_that_it_breaks(
    suite: Suite, rows: pl.DataFrame, column: str, value: Any, broken: str
) -> None:
    """A reader must see what is wrong and in how many rows; both ways of looking agree."""
    outcomes = unmet(judged(suite, spoiled(rows, column, value)))
    assert [one.name for one in outcomes if one.name.startswith(broken)]
    assert {(one.newest_against, one.all_against) for one in outcomes} == {(1, 1)}
    assert "| broken | 1 | 1 |" in outcomes_table(outcomes)


def test_a_row_that_is_there_twice_is_told() -> None:
    """The lake has no primary keys."""
    (outcome,) = unmet(judged(CLEAN_PRICE_SUITE, pl.concat([CLEAN, CLEAN.head(1)])))
    assert outcome == Outcome("one row for each symbol, session", 2, 2)


def test_a_figure_that_is_no_number_is_told_by_the_sweep() -> None:
    """The library takes NaN for a value that is not there."""
    (outcome,) = unmet(judged(SIGNAL_SCORE_SUITE, spoiled(SIGNALS, "base_rate", float("nan"))))
    assert outcome == Outcome("base_rate ≥ 0 and ≤ 1", 0, 1)


def test_an_old_row_that_the_library_does_not_see_breaks_the_expectation() -> None:
    """History is loaded once and looked at never again."""
    faults = swept(CLEAN_PRICE_SUITE, spoiled(CLEAN, "volume", -1))
    assert [one.name for one in unmet(judge(CLEAN_PRICE_SUITE, CLEAN, swept=faults))] == [
        "volume ≥ 0"
    ]


def test_a_table_without_a_row_keeps_every_expectation() -> None:
    """The first night of a free key has neither signals nor scores."""
    assert unmet(judged(SIGNAL_SCORE_SUITE, SIGNAL_SCORES_EMPTY)) == []


def test_an_expectation_that_crashes_is_our_fault_and_not_the_datas() -> None:
    """The library reports a crash as a failed expectation: bad data would be looked for."""
    with pytest.raises(BrokenExpectationError, match=r"volume ≥ 0 crashed: .*fault of the suite"):
        judge(CLEAN_PRICE_SUITE, CLEAN.drop("volume"), swept=[0] * 14)


def test_each_feature_with_bounds_is_expected_within_them() -> None:
    """A feature that joins the catalogue is judged without another line of code."""
    suite = FEATURE_SUITES["technical_features"]
    bounded = [one for one in suite.expectations if "≥" in one.name or "≤" in one.name]
    assert len(bounded) == len(suite.expectations) - 1 > 5


def test_the_newest_rows_are_about_as_many_as_were_asked_for() -> None:
    """The library holds them in memory: ten thousand symbols have fifty million."""
    with duckdb.connect() as connection:
        connection.register("clean_prices", CLEAN.to_arrow())
        sessions = CLEAN.select(pl.col("session").unique().sort())
        connection.register("exchange_sessions", sessions.to_arrow())
        query = CLEAN_PRICE_SUITE.newest_query()
        newest = connection.sql(query, params={"rows": 10}).pl()
        whole = connection.sql(query, params={"rows": 1_000}).pl()
    assert set(newest["session"]) == set(sessions["session"][-5:])
    assert whole.height == CLEAN.height
