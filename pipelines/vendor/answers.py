"""Answers in the vendor's own words: the protocol of the loopback vendor, without the network.

Forms of numbers follow recorded answers of Alpha Vantage: TIME_SERIES_DAILY writes prices with four
decimals ("306.7500"); TIME_SERIES_DAILY_ADJUSTED writes traded prices as short as they are
("170.01"), the adjusted close with 15 significant digits ("168.210509705847"), dividends with four
decimals ("1.6700") and splits as "1.0". Every value is text.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import polars as pl

from pipelines.vendor.requests import COMPACT_SESSIONS

Query = Mapping[str, str]

FREE_REQUESTS_PER_DAY = 25
_SITE = "https://www.alphavantage.co"
_PLANS = f"You may subscribe to any of the premium plans at {_SITE}/premium/ to"


@dataclass(frozen=True)
class Account:
    """Who asks. Without a `key` any key is accepted, as the vendor itself does."""

    plan: Literal["free", "premium"] = "premium"
    key: str | None = None
    requests_today: int = 0


@dataclass(frozen=True)
class VendorFunction:
    """How one function is answered, and which plan may ask for it."""

    answer: Callable[[pl.DataFrame, Query], str]
    is_premium: bool = False


def answer(history: Mapping[str, pl.DataFrame], query: Query, *, account: Account) -> str:
    """Return the body that the vendor answers a query with.

    Args:
        history: Bars by symbol, oldest first, as seen on the vendor's today.
        query: The query's parameters, the key among them.
        account: Whose key it is, and how many requests it made today before this one.
    """
    function = FUNCTIONS.get(query.get("function", ""))
    if not _is_accepted(query.get("apikey", ""), account):
        return bad_key()
    if account.plan == "free" and account.requests_today >= FREE_REQUESTS_PER_DAY:
        return daily_cap(query["apikey"])
    if function is None:
        return unknown_function(query.get("function", ""))
    if account.plan == "free" and function.is_premium:
        return premium_endpoint()
    if account.plan == "free" and query.get("outputsize") == "full":
        return premium_outputsize(query["function"])
    bars = history.get(query.get("symbol", "").upper())
    if bars is None or not _is_well_formed(query):
        return bad_call(query["function"])
    return function.answer(bars, query)


def bad_key() -> str:
    """Return the refusal of a key that is missing or unknown."""
    return _refusal(
        "Error Message",
        f"the parameter apikey is invalid or missing. Please claim your free API key on ({_SITE}"
        "/support/#api-key). It should take less than 20 seconds.",
    )


def daily_cap(key: str) -> str:
    """Return the refusal of a key that is used up for today. The vendor repeats the key in it."""
    return _refusal(
        "Information",
        f"We have detected your API key as {key} and our standard API rate limit is "
        f"{FREE_REQUESTS_PER_DAY} requests per day. Please subscribe to any of the premium plans "
        f"at {_SITE}/premium/ to instantly remove all daily rate limits.",
    )


def burst() -> str:
    """Return the refusal of a request that came too soon after the one before it."""
    return _refusal(
        "Information",
        "Thank you for using Alpha Vantage! Please consider spreading out your free API requests "
        f"more sparingly (1 request per second). {_PLANS} lift the free key rate limit "
        f"({FREE_REQUESTS_PER_DAY} requests per day), raise the per-second burst limit, and "
        "instantly unlock all premium endpoints",
    )


def premium_endpoint() -> str:
    """Return the refusal of a function that a free key may not use."""
    return _refusal(
        "Information",
        "Thank you for using Alpha Vantage! This is a premium endpoint. "
        f"{_PLANS} instantly unlock all premium endpoints",
    )


def premium_outputsize(function: str) -> str:
    """Return the refusal of a full history to a free key."""
    return _refusal(
        "Information",
        "Thank you for using Alpha Vantage! The outputsize=full parameter value is a premium "
        f"feature for the {function} endpoint. {_PLANS} instantly unlock all premium features",
    )


def bad_call(function: str) -> str:
    """Return the refusal of an unknown symbol or a wrong parameter."""
    return _refusal(
        "Error Message",
        f"Invalid API call. Please retry or visit the documentation ({_SITE}/documentation/) for "
        f"{function}.",
    )


def unknown_function(function: str) -> str:
    """Return the refusal of a function that does not exist."""
    return _refusal("Error Message", f"This API function ({function}) does not exist.")


def _daily(bars: pl.DataFrame, query: Query) -> str:
    """Answer TIME_SERIES_DAILY."""

    def fields(bar: dict[str, Any]) -> dict[str, str]:
        return {
            "1. open": f"{bar['open']:.4f}",
            "2. high": f"{bar['high']:.4f}",
            "3. low": f"{bar['low']:.4f}",
            "4. close": f"{bar['close']:.4f}",
            "5. volume": str(bar["volume"]),
        }

    information = "Daily Prices (open, high, low, close) and Volumes"
    return _daily_series(bars, query, information=information, fields=fields)


def _daily_adjusted(bars: pl.DataFrame, query: Query) -> str:
    """Answer TIME_SERIES_DAILY_ADJUSTED."""

    def fields(bar: dict[str, Any]) -> dict[str, str]:
        return {
            "1. open": repr(bar["open"]),
            "2. high": repr(bar["high"]),
            "3. low": repr(bar["low"]),
            "4. close": repr(bar["close"]),
            "5. adjusted close": f"{bar['adjusted_close']:.15g}",
            "6. volume": str(bar["volume"]),
            "7. dividend amount": f"{bar['dividend_amount']:.4f}",
            "8. split coefficient": repr(bar["split_coefficient"]),
        }

    information = "Daily Time Series with Splits and Dividend Events"
    return _daily_series(bars, query, information=information, fields=fields)


FUNCTIONS: Mapping[str, VendorFunction] = MappingProxyType(
    {
        "TIME_SERIES_DAILY": VendorFunction(_daily),
        "TIME_SERIES_DAILY_ADJUSTED": VendorFunction(_daily_adjusted, is_premium=True),
    }
)
"""Every function that is answered. A new one is one entry here."""


def _daily_series(
    bars: pl.DataFrame,
    query: Query,
    *,
    information: str,
    fields: Callable[[dict[str, Any]], dict[str, str]],
) -> str:
    """Write a daily series, newest first."""
    is_full = query.get("outputsize") == "full"
    shown = bars if is_full else bars.tail(COMPACT_SESSIONS)
    days = {str(bar["session"]): fields(bar) for bar in shown.reverse().iter_rows(named=True)}
    about = {
        "1. Information": information,
        "2. Symbol": query["symbol"],
        "3. Last Refreshed": next(iter(days)),
        "4. Output Size": "Full size" if is_full else "Compact",
        "5. Time Zone": "US/Eastern",
    }
    return json.dumps({"Meta Data": about, "Time Series (Daily)": days}, indent=4)


def _is_accepted(key: str, account: Account) -> bool:
    """Tell whether a key may ask."""
    return bool(key) and account.key in {None, key}


def _is_well_formed(query: Query) -> bool:
    """Tell whether the parameters have values that exist; CSV is not spoken yet."""
    return (
        query.get("outputsize", "compact") in {"compact", "full"}
        and query.get("datatype", "json") == "json"
    )


def _refusal(key: str, sentence: str) -> str:
    """Write a refusal."""
    return json.dumps({key: sentence}, indent=4)
