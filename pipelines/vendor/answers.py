"""Answers in the vendor's own words: the protocol of the loopback vendor, without the network."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

import polars as pl

from pipelines.markets.profiles import CompanyProfile
from pipelines.vendor import refusal_words as words
from pipelines.vendor.listings import LISTING_HEADER
from pipelines.vendor.plans import FULL_HISTORY, LOOPBACK_PLAN, PLANS, PREMIUM_FUNCTIONS, Plan
from pipelines.vendor.reference_answers import (
    ShownMarket,
    dividends_answer,
    index_answer,
    listing_answer,
    market_status_answer,
    overview_answer,
    splits_answer,
)
from pipelines.vendor.series_answers import SERIES, Query, series_answer


@dataclass(frozen=True)
class Account:
    """Who asks. Without a `key` any key is accepted, as the vendor itself does."""

    plan: str = LOOPBACK_PLAN
    key: str | None = None
    requests_today: int = 0

    @property
    def limits(self) -> Plan:
        """What the plan allows."""
        return PLANS[self.plan]


BarsAnswer = Callable[[pl.DataFrame, Query], str]
MarketAnswer = Callable[[ShownMarket, Query], str]

SYMBOL_FUNCTIONS: Mapping[str, BarsAnswer] = MappingProxyType(
    {
        **dict.fromkeys(SERIES, series_answer),
        "DIVIDENDS": dividends_answer,
        "SPLITS": splits_answer,
    }
)
"""Functions that are answered from one symbol's bars."""
MARKET_FUNCTIONS: Mapping[str, MarketAnswer] = MappingProxyType(
    {
        "OVERVIEW": overview_answer,
        "LISTING_STATUS": listing_answer,
        "MARKET_STATUS": market_status_answer,
        "INDEX_DATA": index_answer,
    }
)
"""Functions that are answered from the market as a whole."""
CSV_ONLY: Mapping[str, str] = MappingProxyType({"LISTING_STATUS": LISTING_HEADER})
"""Functions that speak CSV alone, refusals too, and their headers."""


def answer(
    history: Mapping[str, pl.DataFrame],
    query: Query,
    *,
    account: Account,
    profiles: Mapping[str, CompanyProfile] | None = None,
    indexes: Mapping[str, pl.DataFrame] | None = None,
) -> str:
    """Return the body that the vendor answers a query with.

    Args:
        history: Bars by symbol, oldest first, as seen on the vendor's today.
        query: The query's parameters, the key among them.
        account: Whose key it is, and how many requests it made today before this one.
        profiles: What is known of the companies.
        indexes: Indexes by symbol, oldest first, as seen on the vendor's today.
    """
    refused = refusal(query, account=account)
    if refused is not None:
        return in_its_form(refused, query)
    function = query["function"]
    market = ShownMarket(history, profiles or {}, indexes or {})
    if not _is_well_formed(query) or (function == "INDEX_DATA" and not _is_index(market, query)):
        return in_its_form(words.bad_call(function), query)
    if function in MARKET_FUNCTIONS:
        return MARKET_FUNCTIONS[function](market, query)
    bars = history.get(query.get("symbol", "").upper())
    return words.bad_call(function) if bars is None else SYMBOL_FUNCTIONS[function](bars, query)


def refusal(query: Query, *, account: Account) -> str | None:
    """Return why an account is not answered at all, None where it is."""
    function, plan = query.get("function", ""), account.limits
    key = query.get("apikey", "")
    if not key or account.key not in {None, key}:
        return words.bad_key()
    if plan.requests_per_day is not None and account.requests_today >= plan.requests_per_day:
        return words.daily_cap(key, plan)
    if function not in SYMBOL_FUNCTIONS and function not in MARKET_FUNCTIONS:
        return words.unknown_function(function)
    if not plan.is_premium and function in PREMIUM_FUNCTIONS:
        return words.premium_endpoint()
    if not plan.is_premium and FULL_HISTORY in query.items():
        return words.premium_outputsize(function)
    return None


def in_its_form(refused: str, query: Query) -> str:
    """Return a refusal as the function sends it: in single letters where it speaks CSV alone."""
    header = CSV_ONLY.get(query.get("function", ""))
    return refused if header is None else words.as_csv_row(refused, header)


def _is_well_formed(query: Query) -> bool:
    """Tell whether the parameters have values that exist."""
    return (
        query.get("outputsize", "compact") in {"compact", "full"}
        and query.get("datatype", "json") in {"json", "csv"}
        and query.get("state", "active") in {"active", "delisted"}
        and _is_date(query.get("date", "2010-01-01"))
    )


def _is_index(market: ShownMarket, query: Query) -> bool:
    """Tell whether an index is known; of its intervals, the loopback vendor has the daily one."""
    return query.get("symbol", "").upper() in market.indexes and query.get("interval") == "daily"


def _is_date(text: str) -> bool:
    """Tell whether a text is a date."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
