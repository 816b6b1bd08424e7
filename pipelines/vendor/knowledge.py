"""What the lake knows of the vendor's answers before a night, and what follows for the asking."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from pipelines.calendar import ExchangeCalendar
from pipelines.vendor.requests import DAILY_FUNCTION, PLAIN_DAILY_FUNCTION

FIRST_PATIENCE = timedelta(hours=20)
"""An unknown symbol is asked for again on the next night at the earliest: closes differ by hours.
The pause doubles with each refusal."""
LONGEST_PATIENCE = timedelta(days=32)
REFUSAL_KEPT = timedelta(days=7)
"""Any other question that the vendor called wrong is not asked again for this long."""


@dataclass(frozen=True)
class Rejections:
    """How often in a row the vendor did not know a symbol, and when it said so last (UTC)."""

    count: int
    last: datetime

    @property
    def next_try(self) -> datetime:
        """When to ask again (UTC)."""
        doubled: int = 2 ** min(self.count - 1, 10)
        return self.last + min(FIRST_PATIENCE * doubled, LONGEST_PATIENCE)


@dataclass(frozen=True)
class VendorKnowledge:
    """What is known before a night.

    Attributes:
        latest_sessions: The newest stored session of each symbol.
        index_sessions: The newest stored session of each index.
        answered: When a function last answered with data, by function and symbol; listings by
            function and state.
        rejections: Symbols of which the vendor knew no bars when it was last asked.
        refused: When a function last called a question wrong, by function and symbol, where it
            has not answered it since.
        delisted: Last day of trading of symbols that have left the market.
    """

    latest_sessions: Mapping[str, date] = field(default_factory=dict)
    answered: Mapping[tuple[str, str], datetime] = field(default_factory=dict)
    rejections: Mapping[str, Rejections] = field(default_factory=dict)
    delisted: Mapping[str, date] = field(default_factory=dict)
    index_sessions: Mapping[str, date] = field(default_factory=dict)
    refused: Mapping[tuple[str, str], datetime] = field(default_factory=dict)

    def asked_through(self, symbol: str, calendar: ExchangeCalendar) -> date | None:
        """Return the newest session that the last bars of a symbol could have shown."""
        found = [self.answered.get((f, symbol)) for f in (DAILY_FUNCTION, PLAIN_DAILY_FUNCTION)]
        instants = [instant for instant in found if instant is not None]
        return calendar.last_completed(max(instants)) if instants else None

    def is_due(self, function: str, subject: str, *, now: datetime, after: timedelta) -> bool:
        """Tell whether the last answer of a function is older than `after`, or there is none."""
        answered = self.answered.get((function, subject))
        is_old = answered is None or now - answered > after
        return is_old and not self.was_refused(function, subject, now=now)

    def was_refused(self, function: str, subject: str, *, now: datetime) -> bool:
        """Tell whether the vendor called a question wrong so lately that it would again."""
        refused = self.refused.get((function, subject))
        return refused is not None and now - refused <= REFUSAL_KEPT

    def never_whole(self, symbols: Iterable[str]) -> set[str]:
        """Return the symbols of which no adjusted bars ever came: a free key's, cut at 100 rows.

        Their first adjusted answer is asked for in full, so that a larger plan brings the years
        before and closes what holes there are.
        """
        return {symbol for symbol in symbols if (DAILY_FUNCTION, symbol) not in self.answered}

    def has_left(self, symbol: str) -> bool:
        """Tell whether a symbol has left the market and its last day is stored."""
        latest, left = self.latest_sessions.get(symbol), self.delisted.get(symbol)
        return latest is not None and left is not None and left <= latest

    def is_worth_asking(self, symbol: str, *, now: datetime) -> bool:
        """Tell whether a request may bring anything for a symbol that the vendor did not know.

        Such a symbol is tried less and less often.
        """
        rejections = self.rejections.get(symbol)
        return rejections is None or now >= rejections.next_try
