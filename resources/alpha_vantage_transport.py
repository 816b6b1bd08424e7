"""How one question goes to Alpha Vantage and its raw body comes back.

The query is built by the `alpha_vantage` package: it knows each function's parameters and defaults.
Its transport is replaced, because version 3.0.0 has no timeout, no retry and no session, quotes no
value, ignores the HTTP status, raises errors with the key in them, and parses before anyone has
landed the body. Its address lives on a class and is shared by all threads, so it is never set: the
query is sent to the address given.

Nothing here raises for what the vendor or the network does; it is told in the `Answer`.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, cast
from urllib.parse import quote, urlsplit

import requests
from alpha_vantage.timeseries import TimeSeries
from tenacity import RetryCallState, Retrying, retry_if_result, stop_after_attempt
from tenacity.wait import wait_exponential, wait_random

from pipelines.vendor.refusals import RefusalKind, redact
from pipelines.vendor.requests import VendorRequest
from pipelines.vendor.responses import FaultKind, judge_body

LOGGER = logging.getLogger(__name__)
LONGEST_WAIT_SECONDS = 60.0
"""The vendor's limits are by second and by minute: waiting longer gains nothing."""
WAIT_FACTOR = 3.0

_METHODS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "TIME_SERIES_DAILY": TimeSeries.get_daily,
        "TIME_SERIES_DAILY_ADJUSTED": TimeSeries.get_daily_adjusted,
    }
)


@dataclass(frozen=True)
class Limits:
    """How long to wait for the vendor, how often to ask again, and how fast to go."""

    connect_timeout_seconds: float
    read_timeout_seconds: float
    attempts: int
    first_wait_seconds: float
    seconds_between_requests: float


@dataclass(frozen=True)
class Answer:
    """What one question came to, free of the key. `can_pass`: asking again may help."""

    outcome: str
    message: str | None
    body: str | None
    can_pass: bool = False


class QueryBuilder(TimeSeries):  # type: ignore[misc]  # the package ships no types
    """The package, up to the point where it would send."""

    def _handle_api_call(self, url: str) -> str:
        """Hand back the address instead of asking it."""
        return url

    def query_string(self, request: VendorRequest) -> str:
        """Return the query of a request, key included, every value quoted.

        Raises:
            ValueError: the package has no such function, or not with these parameters.
        """
        if request.function not in _METHODS:
            message = f"function {request.function!r} is not asked for: the client knows " + (
                ", ".join(sorted(_METHODS))
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
        self, session: requests.Session, *, address: str, key: str, limits: Limits
    ) -> None:
        """Take a session that the caller closes."""
        self._session = session
        self._address = address
        self._key = key
        self._limits = limits
        self._queries = QueryBuilder(key=quote(key, safe=""))
        self._next_at = 0.0

    def ask(self, request: VendorRequest) -> Answer:
        """Ask, and ask again with growing pauses while the trouble can pass."""
        first = self._limits.first_wait_seconds
        retrying = Retrying(
            stop=stop_after_attempt(self._limits.attempts),
            wait=wait_exponential(first, max=LONGEST_WAIT_SECONDS, exp_base=WAIT_FACTOR)
            + wait_random(0, first),
            retry=retry_if_result(lambda answer: answer.can_pass),
            retry_error_callback=_last_answer,
            before_sleep=partial(_log_retry, request),
        )
        return retrying(self._send, self._queries.query_string(request))

    def _send(self, query: str) -> Answer:
        """Send one query and sort what comes of it."""
        self._pace()
        limits = self._limits
        try:
            response = self._session.get(
                f"{self._address}?{query}",
                timeout=(limits.connect_timeout_seconds, limits.read_timeout_seconds),
                allow_redirects=False,
            )
        except requests.Timeout:
            message = f"no answer within {limits.read_timeout_seconds:g} seconds"
            return Answer(FaultKind.TIMEOUT, message, None, can_pass=True)
        except requests.RequestException as error:
            message = redact(str(error), self._key)
            return Answer(FaultKind.CONNECTION, message, None, can_pass=True)
        # The vendor names no charset, and requests would guess one from a megabyte of digits.
        body = redact(response.content.decode("utf-8", errors="replace"), self._key)
        return _judge(response.status_code, body)

    def _pace(self) -> None:
        """Wait until the plan allows the next request."""
        time.sleep(max(0.0, self._next_at - time.monotonic()))
        self._next_at = time.monotonic() + self._limits.seconds_between_requests


@contextmanager
def open_transport(address: str, *, key: str, limits: Limits) -> Iterator[Transport]:
    """Open a session with the vendor, and keep the key out of urllib3's log meanwhile."""
    connections = logging.getLogger("urllib3.connectionpool")
    shield = _KeyShield(key)
    connections.addFilter(shield)
    try:
        with requests.Session() as session:
            # A proxy of the environment can't reach our own loopback.
            session.trust_env = urlsplit(address).hostname != "127.0.0.1"
            yield Transport(session, address=address, key=key, limits=limits)
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


def _judge(status: int, body: str) -> Answer:
    """Sort an HTTP answer whose body is free of the key."""
    if status != HTTPStatus.OK:
        can_pass = status >= HTTPStatus.INTERNAL_SERVER_ERROR or (
            status == HTTPStatus.TOO_MANY_REQUESTS
        )
        return Answer(FaultKind.HTTP_STATUS, f"HTTP status {status}", body, can_pass=can_pass)
    judgement = judge_body(body)
    is_burst = judgement.outcome == RefusalKind.BURST
    return Answer(judgement.outcome, judgement.message, body, can_pass=is_burst)


def _last_answer(state: RetryCallState) -> Answer:
    """Return what the latest attempt came to."""
    outcome = cast("Future[Answer]", state.outcome)
    return outcome.result()


def _log_retry(request: VendorRequest, state: RetryCallState) -> None:
    """Say what is asked again, why and when."""
    answer = _last_answer(state)
    LOGGER.warning(
        "%s %s: %s (%s); asked again in %.1f seconds",
        request.function,
        request.symbol,
        answer.outcome,
        answer.message,
        state.upcoming_sleep,
    )
