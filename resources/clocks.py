"""Clocks: instants of the calendar, and seconds to wait by. Tests bring their own."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What asking the vendor needs of time."""

    def now(self) -> datetime:
        """Return the instant (UTC)."""

    def seconds(self) -> float:
        """Return a count of seconds that never goes back."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class WallClock:
    """The clock on the wall."""

    def now(self) -> datetime:
        """Return the instant (UTC)."""
        return datetime.now(UTC)

    def seconds(self) -> float:
        """Return the machine's count of seconds."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


@dataclass(frozen=True)
class StandingClock(WallClock):
    """The clock of a recording: it stands at the night's instant, while waiting takes its time."""

    instant: datetime

    def now(self) -> datetime:
        """Return the night's instant (UTC)."""
        return self.instant
