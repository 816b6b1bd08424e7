"""Bars as sent against bars as stored: what is new, what the vendor changed, since when we know.

Keyed by (symbol, session). A bar that is not final yet never enters: during a session the vendor
shows today's partial bar as its newest row.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime

import polars as pl

from pipelines.calendar import ExchangeCalendar
from pipelines.markets.recorded import BAR_SCHEMA
from pipelines.vendor.payloads import UnreadableBody, parse_daily_adjusted
from pipelines.vendor.requests import DAILY_FUNCTION

VALUES = [name for name in BAR_SCHEMA.names() if name not in ("symbol", "session")]


LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class LandedBody:
    """A body as it lies in the lake; `fetched_at` tells which sessions it could know of."""

    response_id: int
    symbol: str
    body: str
    function: str = DAILY_FUNCTION
    fetched_at: datetime = LONG_AGO


@dataclass(frozen=True)
class SentBars:
    """Bars read from landed bodies; `unreadable` says what could not be read and why."""

    bars: pl.DataFrame
    unreadable: tuple[str, ...]


def read_bodies(bodies: Iterable[LandedBody], *, last_final: date) -> SentBars:
    """Read the bars of bodies, the newest answer winning, without bars that are not final yet."""
    frames, unreadable = [_no_bars()], []
    for landed in bodies:
        try:
            bars = parse_daily_adjusted(landed.body, symbol=landed.symbol)
        except UnreadableBody as error:
            unreadable.append(str(error))
            continue
        number = pl.lit(landed.response_id, dtype=pl.Int64).alias("response_id")
        frames.append(bars.with_columns(number))
    newest = (
        pl.concat(frames)
        .filter(pl.col("session") <= last_final)
        .sort("symbol", "session", "response_id")
        .unique(["symbol", "session"], keep="last", maintain_order=True)
    )
    return SentBars(newest, tuple(unreadable))


def revise(
    stored: pl.DataFrame, sent: pl.DataFrame, *, as_of: datetime, calendar: ExchangeCalendar
) -> pl.DataFrame:
    """Return the rows of `daily_prices` that are new or that the vendor changed.

    History that comes with a symbol's first answer is taken to have been known when it was final
    (`assumed`); everything later is known since `as_of` (`observed`).

    Args:
        stored: Rows of daily_prices of the symbols that were sent.
        sent: Bars with `response_id`, one a key.
        as_of: The night's instant.
        calendar: Tells when a session's bar was final.
    """
    before = stored.select(
        "symbol", "session", "revision", *(pl.col(name).alias(f"{name}_before") for name in VALUES)
    )
    differs = pl.any_horizontal(
        pl.col(name).ne_missing(pl.col(f"{name}_before")) for name in VALUES
    )
    news = sent.join(before, on=["symbol", "session"], how="left").filter(
        pl.col("revision").is_null() | differs
    )
    known = stored.select("symbol").unique().with_columns(seen_before=True)
    return (
        news.join(known, on="symbol", how="left")
        .join(_final_instants(news, calendar), on="session", how="left", maintain_order="left")
        .with_columns(
            known_at=pl.when("seen_before").then(pl.lit(as_of)).otherwise("final_at"),
            known_at_basis=pl.when("seen_before")
            .then(pl.lit("observed"))
            .otherwise(pl.lit("assumed")),
            revision=(pl.col("revision").fill_null(0) + 1).cast(pl.Int32),
        )
    )


def _final_instants(news: pl.DataFrame, calendar: ExchangeCalendar) -> pl.DataFrame:
    """Return when each day's bar was final; a day that is no session counts to the one before.

    A day before the calendar begins counts to the first session: the rules will name it.
    """
    days = news["session"].unique().sort().to_list()
    sessions = [calendar.at_or_before(max(day, calendar.first_session)) for day in days]
    instants = [calendar.known_at(session) for session in sessions]
    schema = pl.Schema({"session": pl.Date(), "final_at": pl.Datetime("us", "UTC")})
    return pl.DataFrame({"session": days, "final_at": instants}, schema=schema)


def _no_bars() -> pl.DataFrame:
    """Return an empty frame of bars with their response."""
    return pl.DataFrame(schema={**BAR_SCHEMA, "response_id": pl.Int64})
