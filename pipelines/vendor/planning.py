"""The night's questions to the vendor, in the order in which staleness hurts."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from pipelines.calendar import ExchangeCalendar
from pipelines.nights import Night
from pipelines.vendor.knowledge import VendorKnowledge
from pipelines.vendor.plans import Plan
from pipelines.vendor.requests import (
    DAILY_FUNCTION,
    DIVIDENDS_FUNCTION,
    LISTING_FUNCTION,
    LISTING_STATES,
    OVERVIEW_FUNCTION,
    SPLITS_FUNCTION,
    VendorRequest,
    listing_request,
    plan_daily_requests,
)

LISTINGS_KEPT = timedelta(days=7)
OVERVIEW_KEPT = timedelta(days=91)
ACTIONS_RENEWED = timedelta(days=5)
"""From this age on, dividends and splits are asked for again where requests are left over."""
_ACTIONS = (SPLITS_FUNCTION, DIVIDENDS_FUNCTION)


def plan_night(
    universe: Iterable[str],
    known: VendorKnowledge,
    night: Night,
    *,
    calendar: ExchangeCalendar,
    plan: Plan,
    now: datetime,
    preferred: Collection[str] = (),
) -> list[VendorRequest]:
    """Return the night's requests, the most urgent first.

    Bars come before everything else, see `plan_daily_requests`; then the listings, at most weekly;
    then company overviews, once a quarter; last, where bars come without corporate actions, the
    oldest lists of these. What the plan refuses is planned nevertheless: the agenda replaces it.

    Args:
        universe: Symbols to keep up to date, repetitions allowed.
        known: What the lake knows before the night.
        night: The night, whose session every symbol should reach.
        calendar: The exchange's sessions.
        plan: What the key allows.
        now: The instant by the market's clock (UTC).
        preferred: Symbols that are on somebody's watchlist.
    """
    symbols = sorted(set(universe))
    newest = calendar.last_completed(now)
    asked = {symbol: known.asked_through(symbol, calendar) for symbol in symbols}
    asked_through = {symbol: through for symbol, through in asked.items() if through}

    def may_be_spent_on(symbol: str) -> bool:
        """Spare a small budget what brings nothing: nobody's symbols, and the same again."""
        is_asked = symbol in known.latest_sessions and asked_through.get(symbol) == newest
        return known.is_worth_asking(symbol, now=now) and not is_asked

    worth = [
        symbol
        for symbol in symbols
        if not _was_rejected(symbol, known, since=night.as_of)
        and (plan.requests_per_day is None or may_be_spent_on(symbol))
    ]
    daily = plan_daily_requests(
        worth,
        known.latest_sessions,
        night.session,
        calendar=calendar,
        vendor_session=newest,
        preferred=preferred,
        asked_through=asked_through,
    )
    found = [symbol for symbol in symbols if symbol in known.latest_sessions]
    return [
        *daily,
        *_listings_due(known, now),
        *_overviews_due(symbols, known, now),
        *_actions_due(found, known, plan, now),
    ]


def _was_rejected(symbol: str, known: VendorKnowledge, *, since: datetime) -> bool:
    """Tell whether the vendor said since an instant that it does not know a symbol."""
    rejections = known.rejections.get(symbol)
    return rejections is not None and rejections.last >= since


def _listings_due(known: VendorKnowledge, now: datetime) -> list[VendorRequest]:
    """Return the listings that are a week old."""
    return [
        listing_request(state)
        for state in LISTING_STATES
        if known.is_due(LISTING_FUNCTION, state, now=now, after=LISTINGS_KEPT)
    ]


def _overviews_due(
    symbols: Iterable[str], known: VendorKnowledge, now: datetime
) -> list[VendorRequest]:
    """Return the company overviews that are a quarter old."""
    return [
        VendorRequest(OVERVIEW_FUNCTION, symbol)
        for symbol in symbols
        if symbol not in known.rejections
        and known.is_due(OVERVIEW_FUNCTION, symbol, now=now, after=OVERVIEW_KEPT)
    ]


def _actions_due(
    symbols: Iterable[str], known: VendorKnowledge, plan: Plan, now: datetime
) -> list[VendorRequest]:
    """Return the lists of corporate actions worth renewing, the oldest first."""
    if not plan.refuses(DAILY_FUNCTION, ()):
        return []
    due = [
        VendorRequest(function, symbol)
        for symbol in symbols
        for function in _ACTIONS
        if known.is_due(function, symbol, now=now, after=ACTIONS_RENEWED)
    ]
    never = datetime.min.replace(tzinfo=now.tzinfo)
    return sorted(due, key=lambda r: known.answered.get((r.function, r.symbol), never))
