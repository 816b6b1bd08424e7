"""How one question goes to Alpha Vantage and its raw body comes back.

The query is built by the `alpha_vantage` package: it knows each function's parameters and defaults.
Its transport is replaced, because version 3.0.0 has no timeout, no retry and no session, quotes no
value, ignores the HTTP status, raises errors with the key in them, and parses before anyone has
landed the body. Its address lives on a class and is shared by all threads, so it is never set: the
query is sent to the address given.

Nothing here raises for what the vendor or the network does; it is told in the `Answer`.
"""

import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from types import MappingProxyType
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import requests
import urllib3
from alpha_vantage.fundamentaldata import FundamentalData
from alpha_vantage.timeseries import TimeSeries

from pipelines.vendor.judgements import judge
from pipelines.vendor.limits import RateLimit
from pipelines.vendor.refusals import RefusalKind, redact
from pipelines.vendor.requests import INDEX_FUNCTION, LISTING_FUNCTION, VendorRequest
from pipelines.vendor.responses import FaultKind
from resources.clocks import Clock

LOGGER = logging.getLogger(__name__)
LONGEST_WAIT_SECONDS = 60.0
"""The vendor's limits are by second and by minute: waiting longer gains nothing."""
WAIT_FACTOR = 3.0

_METHODS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "TIME_SERIES_DAILY": TimeSeries.get_daily,
        "TIME_SERIES_DAILY_ADJUSTED": TimeSeries.get_daily_adjusted,
        "TIME_SERIES_WEEKLY_ADJUSTED": TimeSeries.get_weekly_adjusted,
        "OVERVIEW": FundamentalData.get_company_overview,
        "DIVIDENDS": FundamentalData.get_dividends,
        "SPLITS": FundamentalData.get_splits,
    }
)
_UNKNOWN_TO_THE_PACKAGE = frozenset({LISTING_FUNCTION, INDEX_FUNCTION})
_FOREIGN_TYPES = ("text/html", "image/", "video/", "audio/", "multipart/")
"""Content types that no answer of the vendor has; it sends JSON, and CSV under several names."""
CHUNK_BYTES = 65_536


@dataclass(frozen=True)
class Limits:
    """How long to wait for the vendor, how often to ask again, and how fast to go."""

    connect_timeout_seconds: float
    read_timeout_seconds: float
    answer_seconds: float
    attempts: int
    first_wait_seconds: float
    windows: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Answer:
    """What one attempt came to, free of the key. `can_pass`: asking again may help."""

    outcome: str
    message: str | None
    body: str | None
    can_pass: bool = False
    is_last: bool = True


class QueryBuilder(TimeSeries):  # type: ignore[misc]  # the package ships no types
    """The package, up to the point where it would send."""

    def __init__(self, key: str) -> None:
        """Take the key as it is."""
        super().__init__(key=quote(key, safe=""))
        self.own_key = key

    def _handle_api_call(self, url: str) -> str:
        """Hand back the address instead of asking it."""
        return url

    def query_string(self, request: VendorRequest) -> str:
        """Return the query of a request, key included, every value quoted.

        Raises:
            ValueError: the package has no such function, or not with these parameters.
        """
        if request.function in _UNKNOWN_TO_THE_PACKAGE:
            return urlencode({**request.query, "apikey": self.own_key})
        if request.function not in _METHODS:
            message = f"function {request.function!r} is not asked for: the client knows " + (
                ", ".join(sorted({*_METHODS, *_UNKNOWN_TO_THE_PACKAGE}))
            )
            raise ValueError(message)
        # Inside `get_…` stands the function that sends and does not parse yet.
        ask = _METHODS[request.function].__wrapped__  # type: ignore[attr-defined]
        values = {name: quote(value, safe="") for name, value in request.parameters}
        url, _, _ = ask(self, symbol=quote(request.symbol, safe=""), **values)
        query: str = urlsplit(url).query
        return query


class Transport:
    """One session with the vendor: paced, retried where it can help, free of the key outside."""

    def __init__(
        self, session: requests.Session, *, address: str, key: str, limits: Limits, clock: Clock
    ) -> None:
        """Take a session that the caller closes."""
        self._session = session
        self._address = address
        self._key = key
        self._limits = limits
        self._clock = clock
        self._rate = RateLimit(limits.windows)
        self._queries = QueryBuilder(key)

    def ask(self, request: VendorRequest, *, attempts: int) -> Iterator[Answer]:
        """Ask, and ask again with growing pauses while the trouble can pass.

        Every attempt is handed back, since each counts with the vendor; the last is marked.
        """
        query = self._queries.query_string(request)
        for attempt in range(1, attempts + 1):
            answer = self._send(request, query)
            is_last = not answer.can_pass or attempt == attempts
            yield replace(answer, is_last=is_last)
            if is_last:
                return
            wait = self._wait_before_next(attempt)
            LOGGER.warning(
                "%s: %s (%s); asked again in %.1f seconds",
                request.symbol or request.function,
                answer.outcome,
                answer.message,
                wait,
            )
            self._clock.sleep(wait)

    def _wait_before_next(self, attempt: int) -> float:
        """Return how long to wait: threefold each time, and a random bit more."""
        first = self._limits.first_wait_seconds
        spread = random.uniform(0, first)  # noqa: S311 - nothing secret: it parts clients
        return min(first * WAIT_FACTOR ** (attempt - 1), LONGEST_WAIT_SECONDS) + spread

    def _send(self, request: VendorRequest, query: str) -> Answer:
        """Send one query, as soon as the plan allows it, and sort what comes of it."""
        self._clock.sleep(self._rate.wait(self._clock.seconds()))
        limits = self._limits
        try:
            with self._session.get(
                f"{self._address}?{query}",
                timeout=(limits.connect_timeout_seconds, limits.read_timeout_seconds),
                allow_redirects=False,
                stream=True,
            ) as response:
                # The vendor names no charset, and requests would guess one from a megabyte.
                text = self._read(response).decode("utf-8", errors="replace")
            return _judge(request, response, redact(text, self._key))
        except _TooSlowError:
            message = f"the answer was not complete after {limits.answer_seconds:g} seconds"
            return Answer(FaultKind.TIMEOUT, message, None, can_pass=True)
        except (requests.Timeout, urllib3.exceptions.TimeoutError):
            message = f"no answer within {limits.read_timeout_seconds:g} seconds"
            return Answer(FaultKind.TIMEOUT, message, None, can_pass=True)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            message = redact(str(error), self._key)
            return Answer(FaultKind.CONNECTION, message, None, can_pass=True)
        finally:
            self._rate.take(self._clock.seconds())

    def _read(self, response: requests.Response) -> bytes:
        """Read a body within the time for an answer: a timeout alone only bounds each silence."""
        deadline = time.monotonic() + self._limits.answer_seconds
        chunks = []
        while chunk := response.raw.read1(CHUNK_BYTES, decode_content=True):
            chunks.append(chunk)
            if time.monotonic() > deadline:
                raise _TooSlowError
        return b"".join(chunks)


class _TooSlowError(Exception):
    """A body dripped in for longer than an answer may take."""


@contextmanager
def open_transport(address: str, *, key: str, limits: Limits, clock: Clock) -> Iterator[Transport]:
    """Open a session with the vendor, and keep the key out of urllib3's log meanwhile."""
    connections = logging.getLogger("urllib3.connectionpool")
    shield = _KeyShield(key)
    connections.addFilter(shield)
    try:
        with requests.Session() as session:
            # A proxy of the environment can't reach our own loopback.
            session.trust_env = urlsplit(address).hostname != "127.0.0.1"
            yield Transport(session, address=address, key=key, limits=limits, clock=clock)
    finally:
        connections.removeFilter(shield)


class _KeyShield(logging.Filter):
    """Takes the key out of log records: urllib3 logs whole addresses at DEBUG."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self._key = key

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record, and let it pass."""
        record.msg, record.args = redact(record.getMessage(), self._key), ()
        return True


def _judge(request: VendorRequest, response: requests.Response, body: str) -> Answer:
    """Sort an HTTP answer whose body is free of the key."""
    status = response.status_code
    if status != HTTPStatus.OK:
        can_pass = status >= HTTPStatus.INTERNAL_SERVER_ERROR or (
            status == HTTPStatus.TOO_MANY_REQUESTS
        )
        return Answer(FaultKind.HTTP_STATUS, f"HTTP status {status}", body, can_pass=can_pass)
    judgement = judge(request, body)
    content_type = response.headers.get("Content-Type", "")
    is_burst = judgement.outcome == RefusalKind.BURST
    if judgement.message is None and content_type.lower().startswith(_FOREIGN_TYPES):
        message = f"sent as {content_type!r}, which no answer of the vendor's is"
        return Answer(FaultKind.CONTENT_TYPE, message, body, can_pass=True)
    return Answer(judgement.outcome, judgement.message, body, can_pass=is_burst)
