"""What an answer, or a refusal by the plan, makes us ask instead or in addition."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from pipelines.calendar import ExchangeCalendar
from pipelines.prices.corporate_actions import first_unexplained_move
from pipelines.vendor.knowledge import VendorKnowledge
from pipelines.vendor.payloads import UnreadableBody, parse_daily, parse_daily_adjusted
from pipelines.vendor.plans import FULL_HISTORY
from pipelines.vendor.requests import (
    DAILY_FUNCTION,
    DIVIDENDS_FUNCTION,
    PLAIN_DAILY_FUNCTION,
    SPLITS_FUNCTION,
    VendorRequest,
    follow_ups,
)
from pipelines.vendor.responses import VendorResponse

ACTIONS_KEPT = timedelta(days=30)
"""How long a list of dividends or splits is relied on while no price moves like a split."""
_ACTIONS = (SPLITS_FUNCTION, DIVIDENDS_FUNCTION)


@dataclass(frozen=True)
class Reactions:
    """The rules of a night, given what was known before it."""

    known: VendorKnowledge
    now: datetime
    calendar: ExchangeCalendar

    def after(self, response: VendorResponse) -> list[VendorRequest]:
        """Return what to ask next because of an answer that is data.

        A later split or dividend in adjusted bars changes the whole past; a jump in plain bars may
        be a split that the lists at hand do not hold yet.
        """
        request, body = response.request, response.body or ""
        try:
            if request.function == DAILY_FUNCTION:
                bars = parse_daily_adjusted(body, symbol=request.symbol)
                return follow_ups(request, bars, self.known.latest_sessions.get(request.symbol))
            if request.function == PLAIN_DAILY_FUNCTION and self._has_jumped(request, body):
                return [VendorRequest(function, request.symbol) for function in _ACTIONS]
        except UnreadableBody:
            return []  # its fault is told where it is read; other symbols go on
        return []

    def instead_of(self, request: VendorRequest) -> list[VendorRequest]:
        """Return what to ask instead of a question that the plan refuses.

        Bars with corporate actions are rebuilt from plain bars, dividends and splits; a full
        history that is refused, from the last 100 sessions.
        """
        if request.function == DAILY_FUNCTION:
            plain = VendorRequest(PLAIN_DAILY_FUNCTION, request.symbol, request.parameters)
            return [plain, *self._actions_due(request.symbol)]
        if FULL_HISTORY in request.parameters:
            others = tuple(pair for pair in request.parameters if pair != FULL_HISTORY)
            compact = (*others, ("outputsize", "compact"))
            return [VendorRequest(request.function, request.symbol, compact)]
        return []

    def _actions_due(self, symbol: str) -> list[VendorRequest]:
        """Return the lists of corporate actions that are too old to rely on."""
        return [
            VendorRequest(function, symbol)
            for function in _ACTIONS
            if self.known.is_due(function, symbol, now=self.now, after=ACTIONS_KEPT)
        ]

    def _has_jumped(self, request: VendorRequest, body: str) -> bool:
        """Tell whether a close has moved like a split since the splits were last listed."""
        listed = [self.known.answered.get((function, request.symbol)) for function in _ACTIONS]
        instants = [instant for instant in listed if instant is not None]
        if len(instants) < len(_ACTIONS):
            return False  # the lists are on the agenda already
        bars = parse_daily(body, symbol=request.symbol)
        checked = self.calendar.last_completed(min(instants))
        return first_unexplained_move(bars, checked_through=checked) is not None
