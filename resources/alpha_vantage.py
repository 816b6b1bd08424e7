"""Alpha Vantage, asked politely: raw bodies come back, the key never does.

What to ask is planned in `pipelines.vendor.requests`, what a body means stands in
`pipelines.vendor`; how one question travels, in `resources.alpha_vantage_transport`, which is
imported when the first question is asked: the vendor's package takes pandas with it.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import dagster as dg
from pydantic import Field

from pipelines.vendor.refusals import RefusalKind
from pipelines.vendor.requests import VendorRequest
from pipelines.vendor.responses import FaultKind, VendorResponse

LOGGER = logging.getLogger(__name__)
LIVE_ADDRESS = "https://www.alphavantage.co/query"
LOOPBACK_KEY = "loopback-needs-no-key"
"""What our own loopback vendor is asked with when no key is set."""
REQUESTS_PER_MINUTE: Mapping[str, int] = MappingProxyType(
    {"free": 60, **{f"premium_{rate}": rate for rate in (75, 150, 300, 600, 1200)}}
)
"""What each plan allows; a free key one a second, and 25 a day."""

FollowUp = Callable[[VendorResponse], list[VendorRequest]]


class AlphaVantage(dg.ConfigurableResource[Any]):
    """The vendor of daily bars."""

    api_key: str = Field(
        default="", repr=False, description="The vendor's key; empty for the loopback vendor only."
    )
    plan: str = Field(default="premium_75", description="free or premium_<requests a minute>.")
    connect_timeout_seconds: float = Field(default=5.0, gt=0, description="To open a connection.")
    read_timeout_seconds: float = Field(
        default=30.0, gt=0, description="Longest silence before and within an answer."
    )
    attempts: int = Field(
        default=5, ge=1, description="How often one request is sent at most; waits grow threefold."
    )
    first_wait_seconds: float = Field(
        default=1.0, ge=0, description="Wait before a request is sent for the second time."
    )
    faults_in_a_row: int = Field(
        default=5, ge=1, description="Symbols lost to faults one after another that end the run."
    )

    def fetch(
        self,
        requests: Iterable[VendorRequest],
        *,
        base_url: str,
        as_of: datetime,
        follow_up: FollowUp,
    ) -> Iterator[VendorResponse]:
        """Ask one request after another and hand back what came, refusals and faults too.

        Ends early, after the response that says why, when the day's requests are used up or when
        one symbol after another is lost to faults. A request that the plan has just been refused
        is not sent for the other symbols.

        Args:
            requests: What to ask, the most urgent first; repetitions are asked once.
            base_url: `LIVE_ADDRESS`, or the address of the loopback vendor.
            as_of: The night's instant (UTC), which all responses carry.
            follow_up: What else to ask because of a response that is data; it is asked next.

        Raises:
            dg.Failure: the key is missing, or refused (after its response), or the plan unknown.
        """
        from resources.alpha_vantage_transport import Limits, open_transport

        limits = Limits(
            connect_timeout_seconds=self.connect_timeout_seconds,
            read_timeout_seconds=self.read_timeout_seconds,
            attempts=self.attempts,
            first_wait_seconds=self.first_wait_seconds,
            seconds_between_requests=self._seconds_between_requests(),
        )
        agenda = _Agenda(requests, faults_in_a_row=self.faults_in_a_row)
        with open_transport(base_url, key=self._key_for(base_url), limits=limits) as transport:
            while (request := agenda.next()) is not None:
                answer = transport.ask(request)
                response = VendorResponse(
                    request, as_of, str(answer.outcome), answer.message, answer.body
                )
                yield response
                agenda.note(response)
                if response.is_data:
                    agenda.add_first(follow_up(response))

    def _key_for(self, base_url: str) -> str:
        """Return the key to ask with; only our own loopback vendor is asked without one."""
        key = self.api_key.strip()
        if key:
            return key
        if urlsplit(base_url).hostname == "127.0.0.1":
            return LOOPBACK_KEY
        message = (
            "ALPHA_VANTAGE_API_KEY is not set, and the market alpha_vantage can't be asked without "
            "a key: set it, or choose the recorded data with NIGHTDESK_MARKET=sample"
        )
        raise dg.Failure(message, allow_retries=False)

    def _seconds_between_requests(self) -> float:
        """Return the pace that the plan allows."""
        if self.plan not in REQUESTS_PER_MINUTE:
            message = (
                f"ALPHA_VANTAGE_PLAN={self.plan!r} is no plan of the vendor's: set it to one of "
                + ", ".join(REQUESTS_PER_MINUTE)
            )
            raise dg.Failure(message, allow_retries=False)
        return 60 / REQUESTS_PER_MINUTE[self.plan]


class _Agenda:
    """What is still to ask, given what the answers so far rule out."""

    def __init__(self, requests: Iterable[VendorRequest], *, faults_in_a_row: int) -> None:
        self._waiting = deque(requests)
        self._asked: set[VendorRequest] = set()
        self._refused: set[tuple[object, ...]] = set()
        self._patience = faults_in_a_row
        self._faults = 0

    def next(self) -> VendorRequest | None:
        """Return the next request worth sending, None when there is none."""
        while self._waiting:
            request = self._waiting.popleft()
            if request not in self._asked and _form(request) not in self._refused:
                self._asked.add(request)
                return request
        return None

    def add_first(self, requests: Iterable[VendorRequest]) -> None:
        """Put requests before the others, so that a symbol is completed before the next begins."""
        self._waiting.extendleft(reversed(list(requests)))

    def note(self, response: VendorResponse) -> None:
        """Draw the conclusions of a response.

        Raises:
            dg.Failure: the vendor refused the key.
        """
        if response.outcome == RefusalKind.BAD_KEY:
            message = (
                f"the vendor refused the key in ALPHA_VANTAGE_API_KEY ({response.message}): set it "
                "to a valid key"
            )
            raise dg.Failure(message, allow_retries=False)
        if response.outcome == RefusalKind.PREMIUM:
            self._refused.add(_form(response.request))
        is_fault = response.outcome in set(FaultKind)
        self._faults = self._faults + 1 if is_fault else 0
        if response.outcome == RefusalKind.DAILY_CAP or self._faults >= self._patience:
            LOGGER.warning(
                "%s: %s; %d requests are left for the next night",
                response.outcome,
                response.message,
                len(self._waiting),
            )
            self._waiting.clear()


def _form(request: VendorRequest) -> tuple[object, ...]:
    """Return what a plan allows or refuses: the function and its parameters, not the symbol."""
    return request.function, request.parameters
