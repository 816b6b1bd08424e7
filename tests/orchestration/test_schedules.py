"""When nights start, and for which session."""

from datetime import UTC, datetime

import dagster as dg
import pytest

from resources.market import Market
from schedules.nightly import nightly_schedule

LIVE = Market(name="alpha_vantage", universe_file="unused.txt")


def tick(at: datetime, market: Market = LIVE) -> dg.RunRequest | dg.SkipReason:
    """Return what the schedule asks for at an instant."""
    context = dg.build_schedule_context(scheduled_execution_time=at, resources={"market": market})
    answer = nightly_schedule(context)
    assert isinstance(answer, dg.RunRequest | dg.SkipReason)
    return answer


@pytest.mark.parametrize(
    ("at", "session"),
    [
        pytest.param(datetime(2024, 7, 2, 0, 30, tzinfo=UTC), "2024-07-01", id="summer time"),
        pytest.param(datetime(2024, 12, 3, 1, 30, tzinfo=UTC), "2024-12-02", id="winter time"),
        pytest.param(datetime(2024, 7, 4, 0, 30, tzinfo=UTC), "2024-07-03", id="early close"),
    ],
)
def test_the_night_is_asked_for_the_session_of_its_day(at: datetime, session: str) -> None:
    """The built schedule would score yesterday's session."""
    answer = tick(at)
    assert isinstance(answer, dg.RunRequest)
    assert answer.partition_key == session
    assert answer.run_key == f"nightly-{session}"


def test_a_holiday_is_skipped_with_its_reason() -> None:
    """A run on a holiday would score the session before it a second time."""
    answer = tick(datetime(2024, 7, 5, 0, 30, tzinfo=UTC))
    assert isinstance(answer, dg.SkipReason)
    assert "2024-07-04" in str(answer.skip_message)


def test_a_tick_before_the_bars_are_final_is_skipped() -> None:
    """A night on a partial bar would publish a price that never was."""
    answer = tick(datetime(2024, 7, 1, 21, 0, tzinfo=UTC))
    assert isinstance(answer, dg.SkipReason)
    assert "not final" in str(answer.skip_message)


def test_a_recording_has_no_nights_of_its_own() -> None:
    """The sample market would be run for a session that it does not hold."""
    answer = tick(datetime(2024, 7, 2, 0, 30, tzinfo=UTC), Market(name="sample"))
    assert isinstance(answer, dg.SkipReason)


def test_ticks_come_on_weekdays_only() -> None:
    """Weekend ticks would ask for Friday's session again under another run key."""
    assert nightly_schedule.cron_schedule == "30 20 * * 1-5"
    assert nightly_schedule.execution_timezone == "America/New_York"
