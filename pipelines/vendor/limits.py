"""Limits of requests by time, without a clock: instants are given, in seconds or as datetimes."""

from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

VENDOR_ZONE = ZoneInfo("America/New_York")
"""The zone of the vendor's dates (it writes US/Eastern), and so of its day of requests."""


def vendor_day_start(instant: datetime) -> datetime:
    """Return the instant (UTC) at which the vendor's day of an instant began."""
    midnight = instant.astimezone(VENDOR_ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight.astimezone(UTC)


class TokenBucket:
    """A bucket of `tokens`; each comes back `seconds` after it was taken.

    So no stretch of `seconds` ever sees more than `tokens` requests. A bucket that fills at a
    steady rate would let through twice as many in a stretch that begins with a full one.
    """

    def __init__(self, tokens: int, seconds: float) -> None:
        """Start full."""
        self._tokens = tokens
        self._seconds = seconds
        self._taken: deque[float] = deque()

    def wait(self, now: float) -> float:
        """Return the seconds until a token is there, 0 where one is."""
        while self._taken and self._taken[0] + self._seconds <= now:
            self._taken.popleft()
        if len(self._taken) < self._tokens:
            return 0.0
        return self._taken[len(self._taken) - self._tokens] + self._seconds - now

    def take(self, now: float) -> None:
        """Take a token."""
        self._taken.append(now)


class RateLimit:
    """All rate limits of a plan together."""

    def __init__(self, windows: Iterable[tuple[int, float]]) -> None:
        """Take limits as pairs of requests and seconds."""
        self._buckets = [TokenBucket(requests, seconds) for requests, seconds in windows]

    def wait(self, now: float) -> float:
        """Return the seconds until the next request keeps every limit."""
        return max((bucket.wait(now) for bucket in self._buckets), default=0.0)

    def take(self, now: float) -> None:
        """Count a request.

        A client counts it when its answer is there: the vendor received it at some instant before,
        so that the next one keeps its distance however long either was under way.
        """
        for bucket in self._buckets:
            bucket.take(now)
