"""When someone is called, and what they are told."""

from datetime import UTC, date, datetime

from pipelines.alerts import night_missing, run_failed
from pipelines.calendar import ExchangeCalendar

CALENDAR = ExchangeCalendar.of("XNYS")
FRIDAY, MONDAY = date(2024, 7, 12), date(2024, 7, 15)
# New York closes at 20:00 UTC in summer; bars are final at midnight, the night is due at 02:00.
BEFORE_DEADLINE = datetime(2024, 7, 16, 1, 59, tzinfo=UTC)
AFTER_DEADLINE = datetime(2024, 7, 16, 2, 1, tzinfo=UTC)


def test_a_night_past_its_deadline_is_missed() -> None:
    """Silence would look like a market without signals."""
    alert = night_missing("alpha_vantage", calendar=CALENDAR, published=FRIDAY, at=AFTER_DEADLINE)
    assert alert is not None
    assert alert.session == MONDAY
    assert "2024-07-15" in alert.message
    assert "2024-07-16T02:00:00+00:00" in alert.message
    assert "newest published session is 2024-07-12" in alert.message


def test_before_the_deadline_nobody_is_called() -> None:
    """A false alarm costs a person's morning."""
    found = night_missing("alpha_vantage", calendar=CALENDAR, published=FRIDAY, at=BEFORE_DEADLINE)
    assert found is None


def test_a_published_night_is_not_missed() -> None:
    """All is well: nobody is called, at the weekend neither."""
    sunday = datetime(2024, 7, 14, 12, tzinfo=UTC)
    for published, at in ((MONDAY, AFTER_DEADLINE), (FRIDAY, sunday)):
        found = night_missing("alpha_vantage", calendar=CALENDAR, published=published, at=at)
        assert found is None


def test_a_desk_that_has_never_published_is_missed() -> None:
    """A first night that failed must not be taken for one that nobody wanted."""
    alert = night_missing("alpha_vantage", calendar=CALENDAR, published=None, at=AFTER_DEADLINE)
    assert alert is not None
    assert "newest published session is none" in alert.message


def test_an_alert_is_plain_json() -> None:
    """Whoever listens should need no library of ours."""
    alert = run_failed(
        "nightly", market="sample", session=FRIDAY, message="no disk", at=AFTER_DEADLINE
    )
    assert alert.to_document() == {
        "kind": "run_failed",
        "market": "sample",
        "session": "2024-07-12",
        "message": "the job nightly failed: no disk",
        "occurred_at": "2024-07-16T02:01:00+00:00",
    }
