"""The refusals of Alpha Vantage, written as the vendor writes them."""

import json

from pipelines.vendor.plans import PLANS, Plan

_SITE = "https://www.alphavantage.co"
_PLANS = f"You may subscribe to any of the premium plans at {_SITE}/premium/ to"
_FREE = PLANS["free"]


def bad_key() -> str:
    """Return the refusal of a key that is missing or unknown."""
    return _refusal(
        "Error Message",
        f"the parameter apikey is invalid or missing. Please claim your free API key on ({_SITE}"
        "/support/#api-key). It should take less than 20 seconds.",
    )


def daily_cap(key: str, plan: Plan = _FREE) -> str:
    """Return the refusal of a key that is used up for today. The vendor repeats the key in it."""
    return _refusal(
        "Information",
        f"We have detected your API key as {key} and our standard API rate limit is "
        f"{plan.requests_per_day} requests per day. Please subscribe to any of the premium plans "
        f"at {_SITE}/premium/ to instantly remove all daily rate limits.",
    )


def burst(plan: Plan = _FREE) -> str:
    """Return the refusal of a request that came too soon after the ones before it."""
    if plan.is_premium:
        return _refusal(
            "Information",
            "Burst pattern detected. Please consider spreading out your API requests more evenly "
            f"across a 1-minute window and query no more than {plan.requests_per_second} requests "
            "per second. Please contact support@alphavantage.co if you are targeting a higher API "
            "request volume.",
        )
    return _refusal(
        "Information",
        "Thank you for using Alpha Vantage! Please consider spreading out your free API requests "
        f"more sparingly (1 request per second). {_PLANS} lift the free key rate limit "
        f"({plan.requests_per_day} requests per day), raise the per-second burst limit, and "
        "instantly unlock all premium endpoints",
    )


def minute_limit() -> str:
    """Return the refusal of a request above what the plan allows in a minute."""
    return _refusal(
        "Information",
        "Minute-level rate limit exceed. Please stay under the number of API requests per minute "
        "for your premium subscription plan.",
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


def as_csv_row(refusal: str, header: str) -> str:
    """Return a refusal as functions that speak CSV alone send it.

    The vendor hands its JSON object to a CSV writer: the key's letters become the cells of a row,
    cut to the header's width, and the sentence is lost.
    """
    width = header.count(",") + 1
    letters = next(iter(json.loads(refusal)))[:width]
    return f"{header}\r\n{','.join(letters)}\r\n"


def _refusal(key: str, sentence: str) -> str:
    """Write a refusal."""
    return json.dumps({key: sentence}, indent=4)
