"""The vendor's plans: what each allows, how fast and how often."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

FULL_HISTORY = ("outputsize", "full")
PREMIUM_FUNCTIONS = frozenset({"TIME_SERIES_DAILY_ADJUSTED", "INDEX_DATA"})
"""Functions that a free key is refused."""


@dataclass(frozen=True)
class Plan:
    """The limits of a key; None where there is none."""

    name: str
    requests_per_second: int | None = None
    requests_per_minute: int | None = None
    requests_per_day: int | None = None
    is_premium: bool = True

    def refuses(self, function: str, parameters: tuple[tuple[str, str], ...]) -> bool:
        """Tell whether a question is known to be refused, so that it need not be asked."""
        if self.is_premium:
            return False
        return function in PREMIUM_FUNCTIONS or FULL_HISTORY in parameters

    @property
    def windows(self) -> tuple[tuple[int, float], ...]:
        """The rate limits, as requests and seconds."""
        limits = ((self.requests_per_second, 1.0), (self.requests_per_minute, 60.0))
        return tuple((requests, seconds) for requests, seconds in limits if requests)


LOOPBACK_PLAN = "loopback"
"""Our own vendor on loopback need not be spared."""

PLANS: Mapping[str, Plan] = MappingProxyType(
    {
        plan.name: plan
        for plan in (
            Plan("free", 1, None, 25, is_premium=False),
            # The vendor tells of bursts of 10 to 30 a second, growing with the plan.
            Plan("premium_75", 10, 75),
            Plan("premium_150", 10, 150),
            Plan("premium_300", 15, 300),
            Plan("premium_600", 20, 600),
            Plan("premium_1200", 30, 1200),
            Plan(LOOPBACK_PLAN),
        )
    }
)
