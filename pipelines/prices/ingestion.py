"""Landed bodies into rows of `daily_prices`, whichever way the vendor tells a symbol's history.

Adjusted bars come whole. Plain bars, dividends and splits come apart: a symbol's newest body of
each makes its bars, once all three are there. Both end in the same columns.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

import polars as pl

from pipelines.calendar import ExchangeCalendar
from pipelines.markets.recorded import BAR_SCHEMA
from pipelines.prices.corporate_actions import ListedActions, with_listed_actions
from pipelines.prices.revisions import LandedBody, SentBars, read_bodies, revise
from pipelines.vendor.actions import parse_dividends, parse_splits
from pipelines.vendor.payloads import UnreadableBody, parse_daily
from pipelines.vendor.requests import (
    DAILY_FUNCTION,
    DIVIDENDS_FUNCTION,
    PLAIN_DAILY_FUNCTION,
    SPLITS_FUNCTION,
)

PARTS = (PLAIN_DAILY_FUNCTION, DIVIDENDS_FUNCTION, SPLITS_FUNCTION)
"""Functions that together tell what the adjusted bars tell."""
PRICE_FUNCTIONS = (DAILY_FUNCTION, *PARTS)

Newest = Mapping[tuple[str, str], LandedBody]
"""The newest body by symbol and function."""


@dataclass(frozen=True)
class IngestedBodies:
    """Rows of `daily_prices` that are new or changed, and the bodies that could not be read."""

    rows: pl.DataFrame
    unreadable: tuple[str, ...]


def newest_of(bodies: Sequence[LandedBody]) -> dict[tuple[str, str], LandedBody]:
    """Return the newest body of each symbol and function."""
    in_order = sorted(bodies, key=lambda body: body.response_id)
    return {(body.symbol, body.function): body for body in in_order}


def ingest_bodies(
    stored: pl.DataFrame,
    arrived: Sequence[LandedBody],
    newest: Newest,
    *,
    as_of: datetime,
    calendar: ExchangeCalendar,
) -> IngestedBodies:
    """Return what bodies change in `daily_prices`.

    Args:
        stored: Rows of daily_prices of the symbols that bodies arrived of.
        arrived: Bodies not read before.
        newest: The newest bodies of symbols of which a part arrived, those that arrived included.
        as_of: The night's instant.
        calendar: Tells when a session's bar was final.
    """
    last_final = calendar.last_completed(as_of)
    adjusted = read_bodies(
        (body for body in arrived if body.function == DAILY_FUNCTION), last_final=last_final
    )
    symbols = sorted({body.symbol for body in arrived if body.function in PARTS})
    rebuilt = [
        _rebuilt(symbol, stored, newest, last_final=last_final, calendar=calendar)
        for symbol in symbols
    ]
    bars = pl.concat([adjusted.bars, *(sent.bars for sent in rebuilt)])
    one_each = bars.sort("symbol", "session", "response_id").unique(
        ["symbol", "session"], keep="last", maintain_order=True
    )
    unreadable = (*adjusted.unreadable, *(text for sent in rebuilt for text in sent.unreadable))
    return IngestedBodies(revise(stored, one_each, as_of=as_of, calendar=calendar), unreadable)


def replay_bodies(
    bodies: Sequence[tuple[datetime, LandedBody]], nothing: pl.DataFrame, calendar: ExchangeCalendar
) -> IngestedBodies:
    """Return the rows that all bodies of a symbol make, night after night, from nothing.

    Args:
        bodies: Every body of one symbol with the instant of its night, in the order they came.
        nothing: An empty frame with the columns of daily_prices.
        calendar: Tells when a session's bar was final.
    """
    rows = nothing
    unreadable: list[str] = []
    known: dict[tuple[str, str], LandedBody] = {}
    for as_of, group in groupby(bodies, key=lambda pair: pair[0]):
        arrived = [body for _, body in group]
        known |= newest_of(arrived)
        done = ingest_bodies(rows, arrived, known, as_of=as_of, calendar=calendar)
        news = done.rows.select(nothing.columns).cast(nothing.schema)
        kept = rows.join(news, on=["symbol", "session"], how="anti")
        rows = pl.concat([kept, news])
        unreadable += done.unreadable
    return IngestedBodies(rows.sort("session"), tuple(unreadable))


def _rebuilt(
    symbol: str,
    stored: pl.DataFrame,
    newest: Newest,
    *,
    last_final: date,
    calendar: ExchangeCalendar,
) -> SentBars:
    """Return a symbol's bars from its parts; none while one of them is missing."""
    nothing = pl.DataFrame(schema={**BAR_SCHEMA, "response_id": pl.Int64})
    parts = [newest.get((symbol, function)) for function in PARTS]
    plain, dividends, splits = parts
    if plain is None or dividends is None or splits is None:
        return SentBars(nothing, ())
    try:
        bars = parse_daily(plain.body, symbol=symbol)
        actions = ListedActions(
            parse_dividends(dividends.body, symbol=symbol),
            parse_splits(splits.body, symbol=symbol),
            calendar.last_completed(min(dividends.fetched_at, splits.fetched_at)),
        )
    except UnreadableBody as error:
        return SentBars(nothing, (str(error),))
    final = bars.filter(pl.col("session") <= last_final)
    before = stored.filter(symbol=symbol).select(BAR_SCHEMA.names()).sort("session")
    if final.is_empty():
        return SentBars(nothing, ())
    number = max(plain.response_id, dividends.response_id, splits.response_id)
    whole = with_listed_actions(final, before, actions)
    return SentBars(whole.with_columns(pl.lit(number, dtype=pl.Int64).alias("response_id")), ())
