"""A fit sees bars before its period alone, and its calibration lies between."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.anomalies.fit_schedule import (
    CALIBRATION_SESSIONS,
    FEWEST_SESSIONS,
    FIT_SESSIONS,
    calibration_rows,
    fit_window,
    period_start,
)
from pipelines.anomalies.score_blocks import BARS_AT_ONCE, QUARTER_SESSIONS, blocks_of
from pipelines.calendar import ExchangeCalendar

SESSIONS = ExchangeCalendar.of("XNYS").sessions(date(2000, 1, 3), date(2008, 12, 31))


@given(st.integers(0, len(SESSIONS) - 1), st.integers(0, len(SESSIONS) - 1))
def test_fit_calibration_and_period_follow_one_another(first: int, tonight: int) -> None:
    """A p-value would be counted among bars that the fit has seen, or among tonight's."""
    period = period_start(SESSIONS[tonight], first=SESSIONS[first])
    window = fit_window(SESSIONS, first=SESSIONS[first], period=period)
    past = [day for day in SESSIONS[first:] if day < period]
    assert (window is None) == (len(past) < FEWEST_SESSIONS)
    if window is None:
        return
    assert SESSIONS[first] <= window.fitted_from <= window.fitted_through
    assert window.fitted_through < window.calibrated_from <= window.calibrated_through
    assert window.calibrated_through < period <= window.applies_from <= SESSIONS[tonight]
    used = [day for day in past if day >= window.fitted_from]
    assert len(used) == min(len(past), FIT_SESSIONS + CALIBRATION_SESSIONS)


def test_one_period_has_one_fit() -> None:
    """Nights of a year would be judged by different measures."""
    in_year = [day for day in SESSIONS if day.year == 2005]
    assert {period_start(day, first=SESSIONS[0]) for day in in_year} == {date(2005, 1, 1)}
    whole = fit_window(SESSIONS, first=SESSIONS[0], period=date(2005, 1, 1))
    for count in (1, 20):
        known = SESSIONS[: SESSIONS.index(in_year[0]) + count]
        assert fit_window(known, first=SESSIONS[0], period=date(2005, 1, 1)) == whole


def test_a_young_market_is_fitted_every_quarter() -> None:
    """It would wait for January until anything is unusual, and a year for the next look."""
    starts = {period_start(day, first=date(2000, 3, 1)) for day in SESSIONS if day.year <= 2002}
    quarters = {date(year, month, 1) for year in (2000, 2001) for month in (1, 4, 7, 10)}
    assert starts == quarters | {date(2002, 1, 1)}


@pytest.mark.parametrize(("symbols", "rows"), [(5, 10_000), (1000, 20_000), (10_000, 200_000)])
def test_a_larger_market_is_calibrated_by_more_bars(symbols: int, rows: int) -> None:
    """One wild bar among ten thousand could never be told from chance."""
    assert calibration_rows(symbols) == rows


@given(
    st.lists(st.sampled_from(SESSIONS), min_size=1, max_size=30, unique=True),
    st.sampled_from([1, 40, 1000, 4000, 20_000]),
)
def test_blocks_hold_every_due_session_once_in_order_and_fit_into_memory(
    due: list[date], symbols: int
) -> None:
    """A quarter would be judged before the one that its fit is made of; or memory would run out."""
    blocks = blocks_of(due, symbols=symbols)
    held = [day for block in blocks for _, days in block.quarters for day in days]
    assert held == sorted(due)
    of_periods = [span for block in blocks for span in block.periods(SESSIONS[0])]
    assert all(start <= first <= last for start, first, last in of_periods)
    assert sum(any(a <= day <= b for _, a, b in of_periods) for day in due) == len(due)
    for block in blocks:
        quarters = 1 + (block.last - block.first).days // 80
        is_one = len(block.quarters) == 1
        assert is_one or quarters * symbols * QUARTER_SESSIONS <= 2 * BARS_AT_ONCE
