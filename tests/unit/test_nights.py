"""A night is the same wherever it is run, and opened only for what is complete."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from pipelines.calendar import ExchangeCalendar
from pipelines.nights import Night, Origin, open_night

CALENDAR = ExchangeCalendar.of("XNYS")
SESSION = date(2013, 3, 1)
AS_OF = CALENDAR.known_at(SESSION)


def opened(session: date = SESSION, as_of: datetime = AS_OF) -> Night:
    """Open a night of the sample market."""
    return open_night("sample", session, calendar=CALENDAR, as_of=as_of)


@pytest.mark.parametrize(
    "zone", [ZoneInfo("Asia/Seoul"), ZoneInfo("America/New_York"), timezone(timedelta(hours=-3.5))]
)
def test_the_id_is_the_same_in_every_time_zone(zone: ZoneInfo | timezone) -> None:
    """A rerun on another machine would publish a second night beside the first."""
    assert opened(as_of=AS_OF.astimezone(zone)) == opened()
    assert opened(as_of=AS_OF.astimezone(zone)).night_id == opened().night_id


def test_the_id_tells_market_session_and_instant_apart() -> None:
    """Two nights under one name would overwrite each other's documents."""
    nights = [
        opened(),
        open_night("alpha_vantage", SESSION, calendar=CALENDAR, as_of=AS_OF),
        opened(CALENDAR.previous(SESSION)),
        opened(as_of=AS_OF + timedelta(milliseconds=1)),
    ]
    assert len({night.night_id for night in nights}) == len(nights)


def test_the_id_of_a_night_never_changes() -> None:
    """Published manifests carry it. SHA-256 of 'sample|2013-03-01|2013-03-02T01:00:00+00:00'."""
    assert opened().night_id == "a3a659d0dca09b50"


def test_the_instant_is_kept_to_the_millisecond() -> None:
    """Documents keep milliseconds: a night read back from them would be another one."""
    exact = AS_OF + timedelta(microseconds=123_456)
    assert opened(as_of=exact).as_of == AS_OF + timedelta(milliseconds=123)


def test_the_newest_complete_session_is_live_and_an_older_one_a_backfill() -> None:
    """Track records count live predictions only."""
    assert opened().origin is Origin.LIVE
    assert opened(as_of=AS_OF + timedelta(days=2)).origin is Origin.LIVE  # a weekend later
    assert opened(as_of=CALENDAR.known_at(CALENDAR.next(SESSION))).origin is Origin.BACKFILL


def test_a_day_without_trading_has_no_night() -> None:
    """The sentence names the session before."""
    with pytest.raises(ValueError, match=r"2013-02-18 is not a session of XNYS.*2013-02-15"):
        opened(date(2013, 2, 18))


def test_a_session_that_is_not_complete_has_no_night_yet() -> None:
    """Its partial bars would be published as final; the sentence says when it may be run."""
    with pytest.raises(ValueError, match=r"not complete at 2013-03-02T00:59:59.*2013-03-02T01:00"):
        opened(as_of=AS_OF - timedelta(seconds=1))


def test_an_instant_is_spoken_in_utc() -> None:
    """Seoul's next morning is still the night of the session."""
    night = Night("sample", SESSION, AS_OF.astimezone(ZoneInfo("Asia/Seoul")), Origin.LIVE)
    assert night.as_of.tzinfo is UTC
