"""A clock that client and server share, and that only waiting moves."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass
class SteppingClock:
    """Stands still until somebody waits, so that a test of hours takes no time.

    `step`: seconds that it moves on whenever somebody looks.
    """

    instant: datetime
    slept: float = 0.0
    step: float = 0.0

    def now(self) -> datetime:
        """Return the instant."""
        self.instant += timedelta(seconds=self.step)
        return self.instant

    def seconds(self) -> float:
        """Return the instant as seconds."""
        return self.instant.timestamp()

    def sleep(self, seconds: float) -> None:
        """Move on."""
        self.slept += seconds
        self.instant += timedelta(seconds=seconds)
