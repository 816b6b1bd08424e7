"""Folds keep the future out of training."""

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.validation.splits import (
    HistoryTooShortError,
    SplitSettings,
    UnusableSliceError,
    final_fold,
    walk_forward,
)
from tests.support.panels import weekdays

SETTINGS = SplitSettings(warm_up=60, test=20, stop=10, calibrate=10, embargo=2)


def _panel(sessions: int, *, label_days: list[int]) -> pl.DataFrame:
    """Return one row a session; the label of row i ends label_days[i % n] days later."""
    days = weekdays(sessions)
    ends = [
        day + timedelta(days=label_days[number % len(label_days)])
        for number, day in enumerate(days)
    ]
    return pl.DataFrame({"session": days, "label_end": ends})


def _days(column: pl.Series) -> list[date]:
    days: list[date] = column.to_list()
    return days


@settings(deadline=None)
@given(
    sessions=st.integers(61, 200),
    embargo=st.integers(0, 4),
    label_days=st.lists(st.integers(1, 12), min_size=1, max_size=7),
)
def test_no_training_label_ends_in_a_later_slice(
    sessions: int, embargo: int, label_days: list[int]
) -> None:
    """A label that ends in the test block would hand the model its own exam."""
    panel = _panel(sessions, label_days=label_days)
    settings = SplitSettings(warm_up=60, test=20, stop=15, calibrate=15, embargo=embargo)
    for fold in walk_forward(panel["session"].to_list(), settings):
        assert fold.test is not None
        try:
            rows = fold.rows(panel)
        except UnusableSliceError:
            continue
        assert max(_days(rows.fit["label_end"])) < fold.stop.first
        assert max(_days(rows.stop["label_end"])) < fold.calibrate.first
        assert max(_days(rows.calibrate["label_end"])) < fold.test.first
        assert rows.trained_through == rows.training["label_end"].max()
        assert rows.trained_through < min(_days(rows.test["session"]))


def test_an_embargo_lies_between_the_slices() -> None:
    """Without it, rows either side of a border share most of their look-back."""
    days = weekdays(100)
    for fold in walk_forward(days, SETTINGS):
        assert fold.test is not None
        for earlier, later in [
            (fold.fit, fold.stop),
            (fold.stop, fold.calibrate),
            (fold.calibrate, fold.test),
        ]:
            assert days.index(later.first) - days.index(earlier.last) == SETTINGS.embargo + 1


@settings(deadline=None)
@given(before=st.integers(61, 150), added=st.integers(1, 60))
def test_sessions_added_later_leave_the_folds_as_they_were(before: int, added: int) -> None:
    """Folds that move with the end of history would retrain, and rename, every past model."""
    days = weekdays(before + added)
    earlier, later = walk_forward(days[:before], SETTINGS), walk_forward(days, SETTINGS)
    assert later[: len(earlier) - 1] == earlier[:-1]
    grown = later[len(earlier) - 1]
    assert (grown.fit, grown.stop, grown.calibrate) == (
        earlier[-1].fit,
        earlier[-1].stop,
        earlier[-1].calibrate,
    )


def test_test_blocks_cover_every_session_after_the_warm_up_once() -> None:
    """A session tested twice, or never, would bias the track record."""
    days = weekdays(135)
    panel = _panel(135, label_days=[1])
    tested = pl.concat([fold.rows(panel).test for fold in walk_forward(days, SETTINGS)])
    assert tested["session"].to_list() == days[60:]


def test_the_final_fold_trains_through_the_latest_label() -> None:
    """Tonight's model must not leave the newest sessions unused."""
    panel = _panel(100, label_days=[1])
    rows = final_fold(weekdays(100), SETTINGS).rows(panel)
    assert rows.trained_through == panel["label_end"].max()
    assert rows.test.is_empty()


def test_a_short_history_is_refused_with_the_number_it_takes() -> None:
    """A person who loaded too little must read how much is enough."""
    with pytest.raises(HistoryTooShortError, match=r"^60 sessions are too few .* at least 61 are"):
        walk_forward(weekdays(60), SETTINGS)
    with pytest.raises(HistoryTooShortError, match="at least 25 are needed"):
        final_fold(weekdays(24), SETTINGS)


def test_a_slice_without_rows_is_named() -> None:
    """An empty slice would otherwise surface as an obscure error of the booster."""
    days = weekdays(100)
    fold = walk_forward(days, SETTINGS)[0]
    panel = _panel(100, label_days=[1]).filter(
        ~pl.col("session").is_between(fold.stop.first, fold.stop.last)
    )
    with pytest.raises(UnusableSliceError, match="the stop slice"):
        fold.rows(panel)


@pytest.mark.parametrize(
    "wrong",
    [{"warm_up": 26}, {"embargo": -1}, {"test": 0}],
    ids=["nothing left to fit", "negative embargo", "empty test block"],
)
def test_impossible_lengths_are_refused(wrong: dict[str, int]) -> None:
    """Negative ordinals would index sessions from the end, which is the future."""
    lengths = {"warm_up": 60, "test": 20, "stop": 10, "calibrate": 10, "embargo": 2}
    with pytest.raises(ValueError, match=r"warm_up|slices need"):
        SplitSettings(**{**lengths, **wrong})


def test_sessions_out_of_order_are_refused() -> None:
    """A shuffled list would cut training and test at random."""
    with pytest.raises(ValueError, match="ascend without repeats"):
        walk_forward([*reversed(weekdays(80))], SETTINGS)
