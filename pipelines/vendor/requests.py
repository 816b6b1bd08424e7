"""What to ask the vendor for, and in which order, so that a small budget does the most good."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

import polars as pl

from pipelines.calendar import ExchangeCalendar

DAILY_FUNCTION = "TIME_SERIES_DAILY_ADJUSTED"
PLAIN_DAILY_FUNCTION = "TIME_SERIES_DAILY"
"""Bars as traded, without corporate actions: what a free key may ask for."""
WEEKLY_FUNCTION = "TIME_SERIES_WEEKLY_ADJUSTED"
DIVIDENDS_FUNCTION, SPLITS_FUNCTION = "DIVIDENDS", "SPLITS"
OVERVIEW_FUNCTION = "OVERVIEW"
LISTING_FUNCTION = "LISTING_STATUS"
INDEX_FUNCTION = "INDEX_DATA"
LISTING_STATES = ("active", "delisted")
COMPACT_SESSIONS = 100
"""Rows that the vendor sends for `outputsize=compact`."""


@dataclass(frozen=True)
class VendorRequest:
    """One question to the vendor, without the key. Parameters are kept sorted by name.

    `symbol` is empty where a function knows none.
    """

    function: str
    symbol: str
    parameters: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        """Sort the parameters, so that the same question is always the same value."""
        object.__setattr__(self, "parameters", tuple(sorted(self.parameters)))

    @property
    def query(self) -> dict[str, str]:
        """The query's parameters in a stable order, without the key."""
        about = {"symbol": self.symbol} if self.symbol else {}
        return {"function": self.function, **about, **dict(self.parameters)}

    @property
    def query_json(self) -> str:
        """The query as JSON text, the form in which it is landed."""
        return json.dumps(self.query)


def daily_request(symbol: str, outputsize: str) -> VendorRequest:
    """Return the request for a symbol's daily bars, `compact` or `full`."""
    return VendorRequest(DAILY_FUNCTION, symbol, (("outputsize", outputsize),))


def index_request(symbol: str) -> VendorRequest:
    """Return the request for the daily bars of an index, which always come as a whole."""
    return VendorRequest(INDEX_FUNCTION, symbol, (("interval", "daily"),))


def listing_request(state: str) -> VendorRequest:
    """Return the request for all symbols that trade (`active`) or have left (`delisted`)."""
    return VendorRequest(LISTING_FUNCTION, "", (("state", state),))


def plan_daily_requests(
    universe: Iterable[str],
    latest_sessions: Mapping[str, date],
    session: date,
    *,
    calendar: ExchangeCalendar,
    vendor_session: date | None = None,
    preferred: Collection[str] = (),
    asked_through: Mapping[str, date] = MappingProxyType({}),
    incomplete: Collection[str] = (),
) -> list[VendorRequest]:
    """Return the requests that bring every symbol up to a session, the most urgent first.

    Symbols never seen come first; among them and among the others the preferred ones, then the
    stalest, then by name. A symbol that has the session already is not asked for. A compact
    answer is asked for where its 100 rows reach back to what is known, so that it leaves no hole.

    Args:
        universe: Symbols to keep up to date, repetitions allowed.
        latest_sessions: The newest session known of each symbol; one never seen has no entry.
        session: The session that every symbol should reach.
        calendar: The exchange's sessions, to count the missing ones.
        vendor_session: The vendor's newest session, from which a compact answer counts back, where
            it is later than `session`, as in a backfill.
        preferred: Symbols that somebody watches or holds.
        asked_through: The newest session that the last answer about a symbol could have shown. It
            counts as the symbol's, so that one which trades no more does not stay the stalest.
        incomplete: Symbols whose history may begin late or have holes: all of it is asked for.
    """
    newest = max(session, vendor_session or session)

    def urgency(symbol: str) -> tuple[bool, bool, date, str]:
        latest = latest_sessions.get(symbol, date.min)
        stale_since = max(latest, asked_through.get(symbol, date.min))
        return symbol in latest_sessions, symbol not in preferred, stale_since, symbol

    behind = [s for s in set(universe) if latest_sessions.get(s, date.min) < session]
    return [
        daily_request(
            symbol,
            "full"
            if symbol in incomplete
            else _outputsize(latest_sessions.get(symbol, date.min), newest, calendar=calendar),
        )
        for symbol in sorted(behind, key=urgency)
    ]


def follow_ups(
    request: VendorRequest, rows: pl.DataFrame, latest_session: date | None
) -> list[VendorRequest]:
    """Return what an answer makes us ask for again.

    A split or dividend later than what we knew changes the adjusted close of the whole past, of
    which a compact answer shows the last 100 sessions only: the full history is asked for.
    """
    if ("outputsize", "full") in request.parameters:
        return []
    has_event = (pl.col("split_coefficient") != 1) | (pl.col("dividend_amount") != 0)
    is_news = pl.col("session") > (latest_session or date.min)
    if rows.filter(is_news & has_event).is_empty():
        return []
    return [VendorRequest(request.function, request.symbol, (("outputsize", "full"),))]


def _outputsize(latest: date, newest: date, *, calendar: ExchangeCalendar) -> str:
    """Choose the smallest answer that holds every missing session."""
    if latest == date.min:
        return "full"
    missing = [day for day in calendar.sessions(latest, newest) if day > latest]
    return "compact" if len(missing) <= COMPACT_SESSIONS else "full"
