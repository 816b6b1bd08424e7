"""The night's questions to the vendor, in the order in which staleness hurts."""

from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime, timedelta

from pipelines.calendar import ExchangeCalendar
from pipelines.nights import Night
from pipelines.vendor.knowledge import VendorKnowledge
from pipelines.vendor.plans import Plan
from pipelines.vendor.requests import (
    DAILY_FUNCTION,
    DIVIDENDS_FUNCTION,
    INDEX_FUNCTION,
    LISTING_FUNCTION,
    LISTING_STATES,
    OVERVIEW_FUNCTION,
    SPLITS_FUNCTION,
    WEEKLY_FUNCTION,
    VendorRequest,
    index_request,
    listing_request,
    plan_daily_requests,
)

LISTINGS_KEPT = timedelta(days=7)
OVERVIEW_KEPT = timedelta(days=91)
ACTIONS_RENEWED = timedelta(days=5)
"""From this age on, dividends and splits are asked for again where requests are left over."""
WEEKLY_KEPT, FREE_WEEKLY_KEPT = timedelta(days=7), timedelta(days=28)
"""From this age on, weekly bars are asked for again; less often where requests are few."""
WEEKLY_MINUTES = 5
"""Minutes a night that weekly bars may take of a plan that counts requests by the minute."""
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
    indexes: Iterable[str] = (),
) -> list[VendorRequest]:
    """Return the night's requests, the most urgent first.

    Bars come before everything else, see `plan_daily_requests`; then indexes that have not reached
    the session, where the plan may ask for them; then the listings, at most weekly;
    then company overviews, once a quarter; where bars come without corporate actions, the oldest
    lists of these; last, the oldest weekly bars, which only check the daily ones. A symbol that
    the vendor does not know is tried less and less often, under any plan. What the plan refuses is
    planned nevertheless: the agenda replaces it.

    Args:
        universe: Symbols to keep up to date, repetitions allowed.
        known: What the lake knows before the night.
        night: The night, whose session every symbol should reach.
        calendar: The exchange's sessions.
        plan: What the key allows.
        now: The instant by the market's clock (UTC).
        preferred: Symbols that somebody watches or holds.
        indexes: Indexes to keep up to date.
    """
    symbols = sorted(set(universe))
    newest = calendar.last_completed(now)
    asked = {symbol: known.asked_through(symbol, calendar) for symbol in symbols}
    asked_through = {symbol: through for symbol, through in asked.items() if through}

    def may_be_spent_on(symbol: str) -> bool:
        """Spare a small budget what it has brought already."""
        return symbol not in known.latest_sessions or asked_through.get(symbol) != newest

    worth = [
        symbol
        for symbol in symbols
        if known.is_worth_asking(symbol, now=now)
        and not known.has_left(symbol)
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
        incomplete=() if plan.refuses(DAILY_FUNCTION, ()) else known.never_whole(worth),
    )
    found = [symbol for symbol in symbols if symbol in known.latest_sessions]
    return [
        *daily,
        *_indexes_due(indexes, known, night, now),
        *_listings_due(known, now),
        *_overviews_due(symbols, known, now),
        *_actions_due(found, known, plan, now),
        *_weekly_due(symbols, known, plan, now),
    ]


def _indexes_due(
    indexes: Iterable[str], known: VendorKnowledge, night: Night, now: datetime
) -> list[VendorRequest]:
    """Return the indexes that have not reached the night's session."""
    return [
        index_request(symbol)
        for symbol in indexes
        if known.index_sessions.get(symbol, date.min) < night.session
        and not known.was_refused(INDEX_FUNCTION, symbol, now=now)
    ]


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
    return _oldest_first(due, known)


def _weekly_due(
    symbols: Iterable[str], known: VendorKnowledge, plan: Plan, now: datetime
) -> list[VendorRequest]:
    """Return the weekly bars worth renewing, the oldest first, as many as a night may take."""
    kept = FREE_WEEKLY_KEPT if plan.requests_per_day else WEEKLY_KEPT
    due = [
        VendorRequest(WEEKLY_FUNCTION, symbol)
        for symbol in symbols
        if symbol not in known.rejections
        and not known.has_left(symbol)
        and known.is_due(WEEKLY_FUNCTION, symbol, now=now, after=kept)
    ]
    per_minute = plan.requests_per_minute
    return _oldest_first(due, known)[: per_minute * WEEKLY_MINUTES if per_minute else None]


def _oldest_first(requests: list[VendorRequest], known: VendorKnowledge) -> list[VendorRequest]:
    """Return requests by the age of their last answer; those never answered come first."""
    never = datetime.min.replace(tzinfo=UTC)
    return sorted(requests, key=lambda r: known.answered.get((r.function, r.symbol), never))
