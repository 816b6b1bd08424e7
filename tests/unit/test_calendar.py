"""Sessions, holidays and closes against the exchange's own history."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.calendar import (
    EARLIEST_SESSION,
    VENDOR_DELAY,
    ExchangeCalendar,
    UnknownExchangeError,
)

NEW_YORK = ExchangeCalendar.of("XNYS")
TOKYO = ExchangeCalendar.of("XTKS")


@pytest.mark.parametrize(
    ("day", "why"),
    [
        (date(2013, 2, 18), "Presidents' Day"),
        (date(2001, 9, 12), "the exchange was closed after the attacks"),
        (date(2012, 10, 29), "hurricane Sandy"),
        (date(2013, 3, 2), "Saturday"),
    ],
)
def test_a_day_without_trading_is_no_session(day: date, why: str) -> None:
    """A night would be run for a day that never comes."""
    assert not NEW_YORK.is_session(day), why
    assert day not in NEW_YORK.sessions(day - timedelta(days=3), day + timedelta(days=3))
    assert NEW_YORK.at_or_before(day) < day


def test_neighbouring_sessions_leap_over_a_long_weekend() -> None:
    """The label of a Friday ends on the Tuesday after the holiday."""
    friday, tuesday = date(2013, 2, 15), date(2013, 2, 19)
    assert NEW_YORK.next(friday) == tuesday
    assert NEW_YORK.previous(tuesday) == friday
    assert NEW_YORK.sessions(friday, tuesday) == [friday, tuesday]
    assert NEW_YORK.at_or_before(tuesday) == tuesday


def test_an_early_close_is_known_earlier() -> None:
    """The day after Thanksgiving ends at 13:00 in New York."""
    assert NEW_YORK.close_of(date(2012, 11, 23)) == datetime(2012, 11, 23, 18, tzinfo=UTC)
    assert NEW_YORK.close_of(date(2012, 11, 21)) == datetime(2012, 11, 21, 21, tzinfo=UTC)


def test_a_close_follows_daylight_saving_time() -> None:
    """An hour off, and a partial bar would be taken for a final one."""
    assert NEW_YORK.close_of(date(2013, 3, 8)).hour == 21
    assert NEW_YORK.close_of(date(2013, 3, 11)).hour == 20


def test_closes_are_those_of_the_sessions_one_by_one() -> None:
    """The lake's table of sessions is made from them."""
    first, last = date(2012, 11, 20), date(2012, 11, 27)
    expected = [(day, NEW_YORK.close_of(day)) for day in NEW_YORK.sessions(first, last)]
    assert NEW_YORK.closes(first, last) == expected


def test_a_session_is_complete_once_the_vendors_delay_has_passed() -> None:
    """A second earlier its bar may still be partial."""
    session = date(2013, 3, 1)
    final = NEW_YORK.known_at(session)
    assert final == datetime(2013, 3, 2, 1, tzinfo=UTC)
    assert NEW_YORK.last_completed(final) == session
    assert NEW_YORK.last_completed(final - timedelta(seconds=1)) == date(2013, 2, 28)
    assert NEW_YORK.last_completed(datetime(2013, 3, 4, 15, tzinfo=UTC)) == session


@settings(max_examples=60, deadline=None)
@given(instant=st.datetimes(datetime(1995, 1, 1), datetime(2025, 1, 1), timezones=st.timezones()))  # noqa: DTZ001
def test_the_last_completed_session_is_the_newest_that_is_known(instant: datetime) -> None:
    """In whatever zone the machine's clock speaks."""
    session = NEW_YORK.last_completed(instant)
    assert NEW_YORK.known_at(session) <= instant < NEW_YORK.known_at(NEW_YORK.next(session))


def test_in_new_yorks_evening_todays_session_is_not_complete_yet() -> None:
    """At 19:30 in New York it is tomorrow in UTC: today's partial bar would pass for final."""
    evening = datetime(2013, 3, 1, 0, 30, tzinfo=UTC)  # Thursday 28 February, 19:30
    assert NEW_YORK.last_completed(evening) == date(2013, 2, 27)


def test_an_exchange_far_from_utc_has_its_own_evening() -> None:
    """Tokyo closes at 06:00 UTC: its session is known on the same UTC day."""
    session = date(2024, 3, 5)
    assert TOKYO.close_of(session) == datetime(2024, 3, 5, 6, tzinfo=UTC)
    assert TOKYO.last_completed(TOKYO.close_of(session) + VENDOR_DELAY) == session
    next_morning = datetime(2024, 3, 6, 1, tzinfo=timezone(timedelta(hours=9)))
    assert TOKYO.last_completed(next_morning) == session
    far_west = timezone(timedelta(hours=-12))
    assert TOKYO.last_completed(TOKYO.known_at(session).astimezone(far_west)) == session


def test_an_exchange_whose_holidays_are_recorded_later_begins_later() -> None:
    """Tokyo's are known since 1997; the desk must still run there."""
    assert TOKYO.first_session == date(1997, 1, 6)
    assert NEW_YORK.first_session == EARLIEST_SESSION
    assert TOKYO.sessions(date(1990, 1, 1), date(1997, 1, 7)) == [
        date(1997, 1, 6),
        date(1997, 1, 7),
    ]


def test_closed_weekdays_are_the_holidays() -> None:
    """Partitions are the weekdays without them."""
    assert NEW_YORK.closed_weekdays(date(2012, 12, 20), date(2013, 1, 25)) == [
        date(2012, 12, 25),
        date(2013, 1, 1),
        date(2013, 1, 21),
    ]


def test_an_exchange_that_nobody_knows_is_named_with_the_way_out() -> None:
    """The library's own error does not say which setting is wrong."""
    with pytest.raises(UnknownExchangeError) as caught:
        ExchangeCalendar.of("NASDAQ!")
    assert str(caught.value).startswith(
        "exchange 'NASDAQ!' has no calendar: set NIGHTDESK_EXCHANGE"
    )
