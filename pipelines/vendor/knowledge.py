"""What the lake knows of the vendor's answers before a night, and what follows for the asking."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from pipelines.calendar import ExchangeCalendar
from pipelines.vendor.requests import DAILY_FUNCTION, PLAIN_DAILY_FUNCTION

FIRST_PATIENCE = timedelta(hours=20)
"""An unknown symbol is asked for again on the next night at the earliest: closes differ by hours.
The pause doubles with each refusal."""
LONGEST_PATIENCE = timedelta(days=32)


@dataclass(frozen=True)
class Rejections:
    """How often in a row the vendor did not know a symbol, and when it said so last (UTC)."""

    count: int
    last: datetime


@dataclass(frozen=True)
class VendorKnowledge:
    """What is known before a night.

    Attributes:
        latest_sessions: The newest stored session of each symbol.
        answered: When a function last answered with data, by function and symbol; listings by
            function and state.
        rejections: Symbols that the vendor did not know when it was last asked.
        delisted: Last day of trading of symbols that have left the market.
    """

    latest_sessions: Mapping[str, date] = field(default_factory=dict)
    answered: Mapping[tuple[str, str], datetime] = field(default_factory=dict)
    rejections: Mapping[str, Rejections] = field(default_factory=dict)
    delisted: Mapping[str, date] = field(default_factory=dict)

    def asked_through(self, symbol: str, calendar: ExchangeCalendar) -> date | None:
        """Return the newest session that the last bars of a symbol could have shown."""
        found = [self.answered.get((f, symbol)) for f in (DAILY_FUNCTION, PLAIN_DAILY_FUNCTION)]
        instants = [instant for instant in found if instant is not None]
        return calendar.last_completed(max(instants)) if instants else None

    def is_due(self, function: str, subject: str, *, now: datetime, after: timedelta) -> bool:
        """Tell whether the last answer of a function is older than `after`, or there is none."""
        answered = self.answered.get((function, subject))
        return answered is None or now - answered > after

    def is_worth_asking(self, symbol: str, *, now: datetime) -> bool:
        """Tell whether a request for a symbol may bring anything.

        A symbol that the vendor does not know is tried less and less often; one that has left the
        market not at all, once its last day is stored.
        """
        latest, left = self.latest_sessions.get(symbol), self.delisted.get(symbol)
        if latest and left and left <= latest:
            return False
        rejections = self.rejections.get(symbol)
        if rejections is None:
            return True
        pause = min(FIRST_PATIENCE * 2 ** min(rejections.count - 1, 10), LONGEST_PATIENCE)
        return bool(now - rejections.last >= pause)
