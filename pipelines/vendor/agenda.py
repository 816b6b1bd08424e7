"""What is still to ask tonight, given the plan, the budget and the answers so far."""

from collections import deque
from collections.abc import Iterable
from typing import Protocol

from pipelines.vendor.plans import Plan
from pipelines.vendor.refusals import RefusalKind
from pipelines.vendor.requests import (
    DAILY_FUNCTION,
    PLAIN_DAILY_FUNCTION,
    VendorRequest,
)
from pipelines.vendor.responses import FaultKind, VendorResponse

_PRICES = {DAILY_FUNCTION, PLAIN_DAILY_FUNCTION}


class Rules(Protocol):
    """What follows from an answer, and what stands in for a refused question."""

    def after(self, response: VendorResponse) -> list[VendorRequest]:
        """Return what to ask next because of an answer that is data."""

    def instead_of(self, request: VendorRequest) -> list[VendorRequest]:
        """Return what to ask instead of a question that the plan refuses."""


class Agenda:
    """The questions of a night. Ends early at the budget, the cap or fault after fault."""

    def __init__(
        self,
        requests: Iterable[VendorRequest],
        *,
        plan: Plan,
        rules: Rules,
        spent_today: int = 0,
        faults_in_a_row: int = 5,
    ) -> None:
        """Take requests in the order of their urgency; repetitions are asked once.

        Args:
            requests: What to ask.
            plan: What the key allows.
            rules: What answers and refusals lead to.
            spent_today: Requests that the key has made since the vendor's day began.
            faults_in_a_row: Questions lost to faults one after another that end the night.
        """
        self._waiting = deque(requests)
        self._plan = plan
        self._rules = rules
        self._spent = spent_today
        self._patience = faults_in_a_row
        self._faults = 0
        self._asked: set[VendorRequest] = set()
        self._refused: set[tuple[object, ...]] = set()
        self._unknown: set[str] = set()
        self.ended_by: str | None = None
        self.planned = len(self._waiting)

    @property
    def left(self) -> int:
        """Questions that were not asked."""
        return len(self._waiting)

    def affordable(self, attempts: int) -> int:
        """Return how many of some attempts the day's budget still allows."""
        per_day = self._plan.requests_per_day
        return attempts if per_day is None else max(0, min(attempts, per_day - self._spent))

    def next(self) -> VendorRequest | None:
        """Return the next question worth asking, None where there is none or no budget for it."""
        while self._waiting:
            request = self._waiting.popleft()
            if request in self._asked or request.symbol in self._unknown:
                continue
            if self._is_refused(request):
                self._asked.add(request)
                self._waiting.extendleft(reversed(self._rules.instead_of(request)))
                continue
            if not self.affordable(1):
                self._waiting.appendleft(request)
                self.ended_by = f"the day's {self._plan.requests_per_day} requests are used up"
                return None
            self._asked.add(request)
            return request
        return None

    def note(self, response: VendorResponse) -> None:
        """Count an attempt, and draw the conclusions of the last one."""
        self._spent += 1
        if not response.is_last:
            return
        request = response.request
        self._faults = self._faults + 1 if response.outcome in set(FaultKind) else 0
        if response.is_data:
            self._waiting.extendleft(reversed(self._rules.after(response)))
        elif response.outcome == RefusalKind.PREMIUM:
            self._refused.add(_form(request))
            self._waiting.extendleft(reversed(self._rules.instead_of(request)))
        elif response.outcome == RefusalKind.BAD_CALL and request.function in _PRICES:
            self._unknown.add(request.symbol)
        if response.outcome == RefusalKind.DAILY_CAP or self._faults >= self._patience:
            self._end(f"{response.outcome}: {response.message}")

    def _is_refused(self, request: VendorRequest) -> bool:
        """Tell whether the plan refuses a question, as known before or learned tonight."""
        is_known = self._plan.refuses(request.function, request.parameters)
        return is_known or _form(request) in self._refused

    def _end(self, reason: str) -> None:
        """Ask nothing more tonight."""
        self.ended_by = f"{reason}; {self.left} requests are left for the next night"
        self._waiting.clear()


def _form(request: VendorRequest) -> tuple[object, ...]:
    """Return what a plan allows or refuses: the function and its parameters, not the symbol."""
    return request.function, request.parameters
