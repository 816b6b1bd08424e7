"""What an answer is: data that can be read as a whole, a refusal, or unreadable.

The parser of the function has the last word, so that whatever is landed as data can be read.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import polars as pl

from pipelines.vendor.actions import parse_dividends, parse_splits
from pipelines.vendor.index_payloads import parse_index
from pipelines.vendor.listings import letters_of_refusal, parse_listings
from pipelines.vendor.overviews import parse_overview
from pipelines.vendor.payloads import (
    UnreadableBody,
    parse_daily,
    parse_daily_adjusted,
    parse_weekly_adjusted,
)
from pipelines.vendor.refusals import RefusalKind, classify
from pipelines.vendor.requests import LISTING_FUNCTION, VendorRequest
from pipelines.vendor.responses import DATA, FaultKind, Judgement, judge_body

PARSERS: Mapping[str, Callable[..., pl.DataFrame]] = MappingProxyType(
    {
        "TIME_SERIES_DAILY_ADJUSTED": parse_daily_adjusted,
        "TIME_SERIES_DAILY": parse_daily,
        "TIME_SERIES_WEEKLY_ADJUSTED": parse_weekly_adjusted,
        "DIVIDENDS": parse_dividends,
        "SPLITS": parse_splits,
        "OVERVIEW": parse_overview,
        "INDEX_DATA": parse_index,
    }
)
"""Parsers of the answers that are about one symbol."""


def parse(request: VendorRequest, body: str) -> pl.DataFrame:
    """Return the rows of an answer.

    Raises:
        UnreadableBody: no row may be taken from it.
    """
    if request.function == LISTING_FUNCTION:
        return parse_listings(body, state=dict(request.parameters)["state"])
    return PARSERS[request.function](body, symbol=request.symbol)


def judge(request: VendorRequest, body: str) -> Judgement:
    """Tell what a body is that came with HTTP status 200."""
    judgement = _judge_csv(body) if request.function == LISTING_FUNCTION else judge_body(body)
    if judgement.outcome != DATA:
        return judgement
    try:
        parse(request, body)
    except UnreadableBody as error:
        return Judgement(FaultKind.UNREADABLE, error.fault)
    return judgement


def _judge_csv(body: str) -> Judgement:
    """Find a refusal in the body of a function that speaks CSV alone."""
    refusal = classify(body)
    if refusal is not None:
        return Judgement(refusal.kind, refusal.message)
    letters = letters_of_refusal(body)
    if letters is not None:
        message = f"a refusal in single letters, {letters!r}, whose sentence the vendor cuts off"
        return Judgement(RefusalKind.UNRECOGNISED, message)
    return Judgement(DATA, None)
