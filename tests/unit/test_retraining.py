"""A night trains first where there is no fresh model, and only there."""

from datetime import date

import pytest

from pipelines.calendar import ExchangeCalendar
from pipelines.signals.retraining import SESSIONS_UNTIL_STALE, reason_to_train

CALENDAR = ExchangeCalendar.of("XNYS")
SESSION = date(2013, 3, 1)
SESSIONS = CALENDAR.sessions(date(2013, 1, 2), SESSION)


def test_without_a_model_there_is_a_reason() -> None:
    """The first night of a fresh clone would abstain on every symbol."""
    reason = reason_to_train(None, SESSION, calendar=CALENDAR)
    assert reason == "no model has been trained on today's features"


@pytest.mark.parametrize("behind", [0, 1, SESSIONS_UNTIL_STALE])
def test_a_fresh_model_is_kept(behind: int) -> None:
    """Each night would train anew."""
    through = SESSIONS[-1 - behind]
    assert reason_to_train(through, SESSION, calendar=CALENDAR) is None


def test_a_model_that_missed_its_weekly_training_is_stale() -> None:
    """The sentence tells how far it is behind, counted in sessions: 18 February is a holiday."""
    through = SESSIONS[-2 - SESSIONS_UNTIL_STALE]
    reason = reason_to_train(through, SESSION, calendar=CALENDAR)
    assert through == date(2013, 2, 13)
    assert reason == "the model was trained through 2013-02-13, 11 sessions ago"


def test_a_model_of_a_later_time_is_no_reason() -> None:
    """In a backfill the newest model may be younger than the session; it will not score it."""
    assert reason_to_train(SESSION, SESSIONS[3], calendar=CALENDAR) is None
