"""Landed bodies into rows of `daily_prices`, whichever way the vendor tells a symbol's history.

Adjusted bars come whole. Plain bars, dividends and splits come apart: a symbol's newest body of
each makes its bars, once all three are there. Both end in the same columns.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

import polars as pl

from pipelines.calendar import ExchangeCalendar
from pipelines.markets.recorded import BAR_SCHEMA
from pipelines.prices.bodies import (
    FinalBars,
    LandedBody,
    ReadBody,
    SentBars,
    no_bars,
    read_bodies,
    read_body,
)
from pipelines.prices.corporate_actions import ListedActions, with_listed_actions
from pipelines.prices.revisions import revise
from pipelines.vendor.actions import parse_dividends, parse_splits
from pipelines.vendor.payloads import UnreadableBody, read_daily
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
class KnownPrices:
    """What is known of the symbols that bodies arrived of.

    Attributes:
        rows: Their rows of daily_prices.
        newest: The newest bodies of those of which a part arrived, those that arrived included.
        doubted: Symbol and session of stored bars that a body told of twice, differently.
    """

    rows: pl.DataFrame
    newest: Newest
    doubted: pl.DataFrame


@dataclass(frozen=True)
class IngestedBodies:
    """What bodies bring.

    Attributes:
        rows: Rows of `daily_prices` that are new or changed, as `revise` returns them.
        unreadable: The bodies that could not be read, and why.
        bodies: Those that could.
    """

    rows: pl.DataFrame
    unreadable: tuple[str, ...]
    bodies: tuple[ReadBody, ...] = ()


def newest_of(bodies: Sequence[LandedBody]) -> dict[tuple[str, str], LandedBody]:
    """Return the newest body of each symbol and function."""
    in_order = sorted(bodies, key=lambda body: body.response_id)
    return {(body.symbol, body.function): body for body in in_order}


def ingest_bodies(
    known: KnownPrices,
    arrived: Sequence[LandedBody],
    *,
    as_of: datetime,
    calendar: ExchangeCalendar,
) -> IngestedBodies:
    """Return what bodies change in `daily_prices`.

    Args:
        known: What is known of their symbols.
        arrived: Bodies not read before.
        as_of: The night's instant.
        calendar: Tells when a session's bar was final.
    """
    final = FinalBars(as_of, calendar)
    adjusted = read_bodies(
        (body for body in arrived if body.function == DAILY_FUNCTION), known.rows, final=final
    )
    symbols = sorted({body.symbol for body in arrived if body.function in PARTS})
    read = [
        adjusted,
        *(_rebuilt(symbol, known, final) for symbol in symbols),
    ]
    one_each = (
        pl.concat([sent.bars for sent in read])
        .sort("symbol", "session", "response_id")
        .unique(["symbol", "session"], keep="last", maintain_order=True)
    )
    bodies = tuple(body for sent in read for body in sent.bodies)
    rows = revise(
        known.rows,
        one_each,
        as_of=as_of,
        calendar=calendar,
        restated=known.doubted.join(_doubted_in(bodies), on=["symbol", "session"], how="anti"),
    )
    return IngestedBodies(rows, tuple(text for sent in read for text in sent.unreadable), bodies)


def _doubted_in(bodies: Sequence[ReadBody]) -> pl.DataFrame:
    """Return symbol and session of the bars that bodies tell of twice, differently."""
    frames = [
        body.repeats.filter("is_different").select(pl.lit(body.symbol).alias("symbol"), "session")
        for body in bodies
    ]
    return pl.concat([no_bars().select("symbol", "session"), *frames])


@dataclass(frozen=True)
class ReplayedNight:
    """What the bodies of one night of the past made, and what was stored before them."""

    as_of: datetime
    before: pl.DataFrame
    done: IngestedBodies


def replay_bodies(
    bodies: Sequence[tuple[datetime, LandedBody]], nothing: pl.DataFrame, calendar: ExchangeCalendar
) -> tuple[pl.DataFrame, list[ReplayedNight]]:
    """Return the rows that all bodies of a symbol make, night after night, from nothing.

    Args:
        bodies: Every body of one symbol with the instant of its night, in the order they came.
        nothing: An empty frame with the columns of daily_prices.
        calendar: Tells when a session's bar was final.
    """
    rows = nothing
    nights: list[ReplayedNight] = []
    newest: dict[tuple[str, str], LandedBody] = {}
    doubted = no_bars().select("symbol", "session")
    for as_of, group in groupby(bodies, key=lambda pair: pair[0]):
        arrived = [body for _, body in group]
        newest |= newest_of(arrived)
        known = KnownPrices(rows, newest, doubted)
        done = ingest_bodies(known, arrived, as_of=as_of, calendar=calendar)
        nights.append(ReplayedNight(as_of, rows, done))
        news = done.rows.select(nothing.columns).cast(nothing.schema)
        doubted = pl.concat(
            [doubted.join(news, on=["symbol", "session"], how="anti"), _doubted_in(done.bodies)]
        ).unique()
        rows = pl.concat([rows.join(news, on=["symbol", "session"], how="anti"), news])
    return rows.sort("session"), nights


def _rebuilt(symbol: str, known: KnownPrices, final: FinalBars) -> SentBars:
    """Return a symbol's bars from its parts; none while one of them is missing."""
    plain, dividends, splits = (known.newest.get((symbol, function)) for function in PARTS)
    if plain is None or dividends is None or splits is None:
        return SentBars(no_bars())
    try:
        read = read_body(plain, known.rows, read_daily, final=final)
        actions = ListedActions(
            parse_dividends(dividends.body, symbol=symbol),
            parse_splits(splits.body, symbol=symbol),
            final.calendar.last_completed(min(dividends.fetched_at, splits.fetched_at)),
        )
    except UnreadableBody as error:
        return SentBars(no_bars(), (str(error),))
    if read.bars.is_empty():
        return SentBars(no_bars())
    before = known.rows.filter(symbol=symbol).select(BAR_SCHEMA.names()).sort("session")
    number = max(plain.response_id, dividends.response_id, splits.response_id)
    whole = with_listed_actions(read.bars, before, actions)
    bars = whole.with_columns(pl.lit(number, dtype=pl.Int64).alias("response_id"))
    return SentBars(bars, (), (replace(read, response_id=number),))
