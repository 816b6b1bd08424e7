"""A night: one session of one market, seen from one instant.

`as_of` is fixed when the night is opened and never changes; whatever became known later does not
exist for this night, however often it is run again.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum

from pipelines.calendar import ExchangeCalendar


class Origin(StrEnum):
    """Whether a night was run for the newest session of its day, or filled in afterwards."""

    LIVE = "live"
    BACKFILL = "backfill"


@dataclass(frozen=True)
class Night:
    """One session of one market, as seen at `as_of` (UTC)."""

    market: str
    session: date
    as_of: datetime
    origin: Origin

    def __post_init__(self) -> None:
        """Keep the instant in UTC, whatever zone the machine or the database speaks."""
        object.__setattr__(self, "as_of", self.as_of.astimezone(UTC))

    @property
    def night_id(self) -> str:
        """The night's name: 16 hexadecimal digits, the same wherever the same night is run."""
        identity = f"{self.market}|{self.session.isoformat()}|{self.as_of.isoformat()}"
        return hashlib.sha256(identity.encode()).hexdigest()[:16]


def open_night(market: str, session: date, *, calendar: ExchangeCalendar, as_of: datetime) -> Night:
    """Describe the night of a session as it is first opened at `as_of`.

    Only the last session that is complete at `as_of` is live. Microseconds are cut to milliseconds,
    the precision that documents keep.

    Raises:
        ValueError: the day is not a session, or its bars are not final at `as_of`.
    """
    if not calendar.is_session(session):
        message = (
            f"{session} is not a session of {calendar.code}: the exchange does not trade that day; "
            f"the session before it is {calendar.at_or_before(session)}"
        )
        raise ValueError(message)
    if calendar.known_at(session) > as_of:
        message = (
            f"session {session} is not complete at {as_of.isoformat()}: its bars are final at "
            f"{calendar.known_at(session).isoformat()}; run it then, or run an earlier session"
        )
        raise ValueError(message)
    newest = calendar.last_completed(as_of)
    fixed = as_of.astimezone(UTC).replace(microsecond=as_of.microsecond // 1000 * 1000)
    origin = Origin.LIVE if session == newest else Origin.BACKFILL
    return Night(market=market, session=session, as_of=fixed, origin=origin)
