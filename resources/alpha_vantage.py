"""Alpha Vantage, asked politely: raw bodies come back, the key never does.

What to ask is planned in `pipelines.vendor.requests`, what a body means stands in
`pipelines.vendor`; how one question travels, in `resources.alpha_vantage_transport`, which is
imported when the first question is asked: the vendor's package takes pandas with it.
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import dagster as dg
from pydantic import Field

from pipelines.vendor.agenda import Agenda, Rules
from pipelines.vendor.plans import PLANS, Plan
from pipelines.vendor.refusals import RefusalKind
from pipelines.vendor.requests import VendorRequest
from pipelines.vendor.responses import VendorResponse
from resources.clocks import Clock

LOGGER = logging.getLogger(__name__)
LIVE_ADDRESS = "https://www.alphavantage.co/query"
LOOPBACK_KEY = "loopback-needs-no-key"
"""What our own loopback vendor is asked with when no key is set."""


class AlphaVantage(dg.ConfigurableResource[Any]):
    """The vendor of daily bars."""

    api_key: str = Field(
        default="", repr=False, description="The vendor's key; empty for the loopback vendor only."
    )
    plan: str = Field(default="premium_75", description="free or premium_<requests a minute>.")
    requests_per_second: int | None = Field(
        default=None, ge=1, description="Most requests a second, in place of the plan's."
    )
    connect_timeout_seconds: float = Field(default=5.0, gt=0, description="To open a connection.")
    read_timeout_seconds: float = Field(
        default=30.0, gt=0, description="Longest silence before and within an answer."
    )
    answer_seconds: float = Field(
        default=120.0, gt=0, description="Longest time for a whole body, however it drips in."
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

    @property
    def limits(self) -> Plan:
        """What the plan allows.

        Raises:
            dg.Failure: there is no such plan.
        """
        if self.plan not in PLANS:
            message = (
                f"ALPHA_VANTAGE_PLAN={self.plan!r} is no plan of the vendor's: set it to one of "
                + ", ".join(PLANS)
            )
            raise dg.Failure(message, allow_retries=False)
        plan = PLANS[self.plan]
        own = self.requests_per_second
        return plan if own is None else replace(plan, requests_per_second=own)

    def agenda(
        self, requests: Iterable[VendorRequest], *, rules: Rules, spent_today: int = 0
    ) -> Agenda:
        """Return an agenda of requests under this key's plan.

        Args:
            requests: What to ask, the most urgent first.
            rules: What answers and refusals lead to.
            spent_today: Requests that the key has made since the vendor's day began.
        """
        return Agenda(
            requests,
            plan=self.limits,
            rules=rules,
            spent_today=spent_today,
            faults_in_a_row=self.faults_in_a_row,
        )

    def fetch(self, agenda: Agenda, *, base_url: str, clock: Clock) -> Iterator[VendorResponse]:
        """Ask one request after another and hand back what came, refusals and faults too.

        Every attempt is a response, since each counts with the vendor. Ends when the agenda does:
        nothing is left, the day's requests are used up, or one after another is lost to faults.

        Args:
            agenda: What to ask; the answers lead it.
            base_url: `LIVE_ADDRESS`, or the address of the loopback vendor.
            clock: The market's clock; its instants are the responses'.

        Raises:
            dg.Failure: the key is missing, or refused (after its response), or the plan unknown.
        """
        from resources.alpha_vantage_transport import Limits, open_transport

        limits = Limits(
            connect_timeout_seconds=self.connect_timeout_seconds,
            read_timeout_seconds=self.read_timeout_seconds,
            answer_seconds=self.answer_seconds,
            attempts=self.attempts,
            first_wait_seconds=self.first_wait_seconds,
            windows=self.limits.windows,
        )
        key = self._key_for(base_url)
        with open_transport(base_url, key=key, limits=limits, clock=clock) as transport:
            while (request := agenda.next()) is not None:
                for answer in transport.ask(request, attempts=agenda.affordable(self.attempts)):
                    response = VendorResponse(
                        request,
                        clock.now(),
                        str(answer.outcome),
                        answer.message,
                        answer.body,
                        answer.is_last,
                    )
                    yield response
                    agenda.note(response)
                    _refuse_bad_key(response)
        if agenda.ended_by:
            LOGGER.warning("%s", agenda.ended_by)

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


def _refuse_bad_key(response: VendorResponse) -> None:
    """End the run for good where the vendor refused the key."""
    if response.outcome == RefusalKind.BAD_KEY:
        message = (
            f"the vendor refused the key in ALPHA_VANTAGE_API_KEY ({response.message}): set it "
            "to a valid key"
        )
        raise dg.Failure(message, allow_retries=False)
