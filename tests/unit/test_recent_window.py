"""The window that forgets learns from its newest sessions, and its record never looks ahead."""

from datetime import date, timedelta

import polars as pl
import pytest

from benchmarks.lifecycle_market import FEATURES, fading_market
from pipelines.signals.recent import (
    LONGEST,
    RECORD,
    SHORTEST,
    folds_of_window,
    sessions_of_window,
    train_recent,
    window_of,
)
from pipelines.signals.settings import Family, SignalSettings

SETTINGS = SignalSettings(family=Family.LIGHTGBM, seeds=1, rounds=30, resamples=20, threads=1)
SYMBOLS, SESSIONS = 100, 200


@pytest.mark.parametrize(
    ("symbols", "window"),
    [(10_000, SHORTEST), (500, SHORTEST), (100, 50), (80, LONGEST), (5, None)],
)
def test_a_window_holds_enough_rows_or_there_is_none(symbols: int, window: int | None) -> None:
    """A quarter of five symbols teaches nothing."""
    assert sessions_of_window(symbols) == window


@pytest.mark.parametrize("number", [200, 201, 203, 210])
def test_blocks_stand_still_and_lie_behind_all_that_their_model_saw(number: int) -> None:
    """A later night must find the same record, and add to it."""
    days = [date(2020, 1, 1) + timedelta(days=one) for one in range(number)]
    folds, final = folds_of_window(days, 10)
    tested = [day for fold in folds for day in days if fold.test.first <= day <= fold.test.last]
    assert tested == days[-len(tested) :]
    assert RECORD - 2 < len(tested) <= RECORD
    assert all(fold.calibrate.last < fold.test.first for fold in folds)
    assert {days.index(fold.test.first) % 2 for fold in folds} == {0}
    assert {(fold.test.first - fold.fit.first).days for fold in folds} == {10}
    assert (final.fit.first, final.calibrate.last) == (days[-10], days[-1])


def test_the_past_beyond_window_and_record_changes_nothing() -> None:
    """To forget is its purpose; a record of 60 sessions is what an opinion needs."""
    market = fading_market(symbols=SYMBOLS, weeks=10, strength=0.6, seed=5)
    rows = market.between(300, 300 + SESSIONS)
    first = rows["session"].unique().sort()[-RECORD - 50]
    is_old = pl.col("session") < first
    other = rows.with_columns(is_up=pl.when(is_old).then(~pl.col("is_up")).otherwise("is_up"))
    made, again = (
        train_recent(one, features=FEATURES, settings=SETTINGS, progress=str)
        for one in (rows, other)
    )
    assert made is not None
    assert again is not None
    assert made.final == again.final
    assert made.folds == ()
    assert made.final.n_rows <= SYMBOLS * 50
    assert made.final.track_record is not None
    assert made.final.track_record.sessions >= 50
    assert made.final.has_skill


def test_the_record_of_a_session_knows_no_later_label() -> None:
    """Labels that were not over yet must not move what had been said."""
    market = fading_market(symbols=SYMBOLS, weeks=10, strength=0.6, seed=5)
    rows = market.between(300, 300 + SESSIONS)
    last = rows["session"].unique().sort()[-11]
    is_late = pl.col("label_end") > last
    other = rows.with_columns(is_up=pl.when(is_late).then(~pl.col("is_up")).otherwise("is_up"))
    made, again = (
        train_recent(one, features=FEATURES, settings=SETTINGS, progress=str)
        for one in (rows, other)
    )
    assert made is not None
    assert again is not None
    said = [
        one.predictions.filter(pl.col("session") <= last)["probability"] for one in (made, again)
    ]
    assert said[0].equals(said[1])
    assert made.predictions.height == again.predictions.height


def test_a_small_or_young_market_has_no_window() -> None:
    """Without a record nobody could judge it."""
    market = fading_market(symbols=SYMBOLS, weeks=1, strength=0.6, seed=5)
    assert window_of(market.between(0, RECORD + 49)) is None
    assert window_of(market.between(0, RECORD + 50)) == 50
    assert window_of(market.between(0, 0)) is None
