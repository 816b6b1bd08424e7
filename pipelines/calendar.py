"""Sessions, holidays and closes of an exchange.

A session is a trading day, a `date`. Instants are timezone-aware UTC. The exchange's rules come
from `exchange_calendars`; this module speaks our words and keeps pandas out of everyone else's.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

EARLIEST_SESSION = date(1990, 1, 2)
VENDOR_DELAY = timedelta(hours=4)
"""How long after the close a day's bar is taken to be final at the vendor (Alpha Vantage updates
end-of-day bars in the evening, US/Eastern; a bar fetched earlier may still be partial)."""

EARLY_BESIDE, EARLY_MINUTES = 10, 90
"""A session ends early where it closes so many minutes before one of so many sessions before."""


class UnknownExchangeError(ValueError):
    """An exchange code that no calendar exists for."""

    def __init__(self, code: str) -> None:
        """Name the code and the way out."""
        super().__init__(
            f"exchange {code!r} has no calendar: set NIGHTDESK_EXCHANGE to an ISO 10383 code that "
            "exchange_calendars knows, such as XNYS, XNAS, XLON or XKRX"
        )


@dataclass(frozen=True)
class ExchangeCalendar:
    """The sessions of one exchange, by its ISO 10383 code."""

    code: str

    @staticmethod
    @lru_cache(maxsize=8)
    def of(code: str) -> "ExchangeCalendar":
        """Return the calendar of an exchange.

        Raises:
            UnknownExchangeError: no calendar exists for the code.
        """
        from exchange_calendars.errors import InvalidCalendarName

        try:
            _library_calendar(code)
        except InvalidCalendarName:
            raise UnknownExchangeError(code) from None
        return ExchangeCalendar(code)

    @property
    def first_session(self) -> date:
        """The first session that this calendar knows."""
        first: date = _library_calendar(self.code).first_session.date()
        return first

    def sessions(self, first: date, last: date) -> list[date]:
        """Return the sessions from `first` to `last`, both included, in order."""
        found = _library_calendar(self.code).sessions
        inside = found[(found >= first.isoformat()) & (found <= last.isoformat())]
        return [timestamp.date() for timestamp in inside]

    def is_session(self, day: date) -> bool:
        """Tell whether the exchange trades on a day."""
        return bool(_library_calendar(self.code).is_session(day.isoformat()))

    def next(self, session: date) -> date:
        """Return the session after a session."""
        following: date = _library_calendar(self.code).next_session(session.isoformat()).date()
        return following

    def previous(self, session: date) -> date:
        """Return the session before a session."""
        earlier: date = _library_calendar(self.code).previous_session(session.isoformat()).date()
        return earlier

    def at_or_before(self, day: date) -> date:
        """Return the day itself where it is a session, else the last session before it."""
        return _at_or_before(self.code, day)

    def close_of(self, session: date) -> datetime:
        """Return the instant at which a session closes, early closes included."""
        return _close_of(self.code, session)

    def closes(self, first: date, last: date) -> list[tuple[date, datetime]]:
        """Return the sessions from `first` to `last` with the instants at which they close."""
        calendar = _library_calendar(self.code)
        closing = calendar.closes.loc[first.isoformat() : last.isoformat()]
        return [
            (session.date(), instant.to_pydatetime().astimezone(UTC))
            for session, instant in closing.items()
        ]

    def early_closes(self, first: date, last: date) -> list[date]:
        """Return the sessions from `first` to `last` that end early, as on the eve of a holiday."""
        instants = self.closes(first, last)
        # Minutes of the day in UTC: summer time moves them by less than an early close does.
        minutes = [60 * instant.hour + instant.minute for _, instant in instants]
        return [
            session
            for place, (session, _) in enumerate(instants)
            if minutes[place]
            < max(minutes[max(0, place - EARLY_BESIDE) : place], default=0) - EARLY_MINUTES
        ]

    def known_at(self, session: date) -> datetime:
        """Return the instant at which a session's bar is taken to be final at the vendor."""
        return self.close_of(session) + VENDOR_DELAY

    def last_completed(self, at: datetime) -> date:
        """Return the last session whose bar is final at an instant."""
        session = self.at_or_before(at.astimezone(UTC).date())
        # New York's evening is the next day in UTC: two sessions may still be incomplete.
        while self.known_at(session) > at:
            session = self.previous(session)
        return session

    def closed_weekdays(self, first: date, last: date) -> list[date]:
        """Return the weekdays from `first` to `last` on which the exchange does not trade."""
        trading = set(self.sessions(first, last))
        days = (first + timedelta(days=offset) for offset in range((last - first).days + 1))
        return [day for day in days if day.weekday() < 5 and day not in trading]


@lru_cache(maxsize=8)
def _library_calendar(code: str) -> Any:
    """Build the library's calendar once a process: it takes half a second."""
    import exchange_calendars

    try:
        return exchange_calendars.get_calendar(code, start=EARLIEST_SESSION.isoformat())
    except ValueError:
        # The holidays of some exchanges are recorded from a later day on (Tokyo: 1997).
        earliest = exchange_calendars.get_calendar(code).bound_min()
        return exchange_calendars.get_calendar(code, start=earliest)


@lru_cache(maxsize=1024)
def _at_or_before(code: str, day: date) -> date:
    """Return the last session through a day; thousands of bodies ask for the same few days."""
    found = _library_calendar(code).date_to_session(day.isoformat(), "previous")
    session: date = found.date()
    return session


@lru_cache(maxsize=1024)
def _close_of(code: str, session: date) -> datetime:
    """Return the instant at which a session closes; asked as often as `_at_or_before`."""
    closing = _library_calendar(code).session_close(session.isoformat())
    closed: datetime = closing.to_pydatetime().astimezone(UTC)
    return closed
