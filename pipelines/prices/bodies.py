"""Landed bodies read into bars: which days they hold, and which of them more than once.

A bar that is not final yet never enters: during a session the vendor shows today's partial bar as
its newest row.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime

import polars as pl

from pipelines.calendar import ExchangeCalendar
from pipelines.markets.recorded import BAR_SCHEMA
from pipelines.vendor.many_bodies import read_many_daily_adjusted
from pipelines.vendor.payloads import VENDOR_ZONE, DailyBody, UnreadableBody
from pipelines.vendor.requests import DAILY_FUNCTION

LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
"""Stands for an instant that nobody knows."""
_TRADED = ["open", "high", "low", "close", "volume"]
_NO_REPEATS = pl.DataFrame(
    schema={
        "session": pl.Date,
        "is_different": pl.Boolean,
        "closes": pl.List(pl.Float64),
        "is_settled": pl.Boolean,
    }
)


@dataclass(frozen=True)
class LandedBody:
    """A body as it lies in the lake; `fetched_at` tells which sessions it could know of."""

    response_id: int
    symbol: str
    body: str
    function: str = DAILY_FUNCTION
    fetched_at: datetime = LONG_AGO


@dataclass(frozen=True)
class FinalBars:
    """Which bars of a body are final: those that the vendor had whole when it was asked.

    Attributes:
        as_of: The instant of the night that reads the body.
        calendar: The exchange's.
    """

    as_of: datetime
    calendar: ExchangeCalendar

    def last_session(self, landed: LandedBody, refreshed_at: datetime | None) -> date:
        """Return the last session whose bar is final in a body.

        A body that is read again later is as old as it was. One that says it was refreshed before
        the close, whenever it came, shows a part of that session.
        """
        asked = landed.fetched_at
        known = self.as_of if asked == LONG_AGO else min(asked, self.as_of)
        last = self.calendar.last_completed(known)
        if refreshed_at is None:
            return last
        running = self.calendar.at_or_before(refreshed_at.astimezone(VENDOR_ZONE).date())
        is_partial = refreshed_at < self.calendar.close_of(running)
        return min(last, self.calendar.previous(running)) if is_partial else last


@dataclass(frozen=True)
class ReadBody:
    """One body that could be read.

    Attributes:
        response_id: The response that its rows are told by.
        symbol: Whose bars they are.
        bars: Its final bars, one a day.
        repeats: Days that it holds more than once: `session`, `is_different` where the bars
            differ, `is_settled` where one of them is the stored one, `closes` of all of them.
        is_full: Whether it is the whole history, as it says itself.
    """

    response_id: int
    symbol: str
    bars: pl.DataFrame
    repeats: pl.DataFrame
    is_full: bool


@dataclass(frozen=True)
class SentBars:
    """Bars read from landed bodies; `unreadable` says what could not be read and why."""

    bars: pl.DataFrame
    unreadable: tuple[str, ...] = ()
    bodies: tuple[ReadBody, ...] = ()


def read_bodies(
    bodies: Iterable[LandedBody], stored: pl.DataFrame, *, final: FinalBars
) -> SentBars:
    """Read the bars of bodies, the newest answer winning, without bars that are not final yet.

    Args:
        bodies: Bodies of adjusted bars.
        stored: The stored bars of their symbols.
        final: Tells which bars are final.
    """
    arrived = list(bodies)
    outcomes = read_many_daily_adjusted([(landed.symbol, landed.body) for landed in arrived])
    found = [
        _final(landed, read, stored, final=final)
        for landed, read in zip(arrived, outcomes, strict=True)
        if isinstance(read, DailyBody)
    ]
    numbers = [body.response_id for body in found for _ in range(body.bars.height)]
    bars = pl.concat([no_bars().drop("response_id"), *(body.bars for body in found)])
    newest = (
        bars.with_columns(pl.Series("response_id", numbers, dtype=pl.Int64))
        .sort("symbol", "session", "response_id")
        .unique(["symbol", "session"], keep="last", maintain_order=True)
    )
    unreadable = tuple(str(fault) for fault in outcomes if isinstance(fault, UnreadableBody))
    return SentBars(newest, unreadable, tuple(found))


def read_body(
    landed: LandedBody,
    stored: pl.DataFrame,
    reader: Callable[..., DailyBody],
    *,
    final: FinalBars,
) -> ReadBody:
    """Read one body. Of two bars of one day, the one that is stored already is taken, or the last.

    Raises:
        UnreadableBody: no row may be taken from it.
    """
    return _final(landed, reader(landed.body, symbol=landed.symbol), stored, final=final)


def _final(
    landed: LandedBody, read: DailyBody, stored: pl.DataFrame, *, final: FinalBars
) -> ReadBody:
    """Return the final bars of a body, one a day."""
    last = final.last_session(landed, read.refreshed_at)
    bars, repeated = _through(last, read.bars), _through(last, read.repeated)
    if repeated.is_empty():  # as nearly always: there is nothing to choose from
        return ReadBody(landed.response_id, landed.symbol, bars, _NO_REPEATS, read.is_full)
    all_bars = pl.concat([bars.join(repeated, on="session", how="semi"), repeated])
    own = stored.filter(symbol=landed.symbol).select("session", *_TRADED)
    settled = all_bars.join(own, on=["session", *_TRADED], how="semi").unique("session")
    repeats = (
        all_bars.group_by("session")
        .agg(
            is_different=pl.struct(pl.exclude("session")).n_unique() > 1,
            closes=pl.col("close").implode(),
        )
        .with_columns(is_settled=pl.col("session").is_in(settled["session"].implode()))
        .sort("session")
    )
    chosen = pl.concat([bars.join(settled, on="session", how="anti"), settled]).sort("session")
    return ReadBody(landed.response_id, landed.symbol, chosen, repeats, read.is_full)


def _through(last: date, bars: pl.DataFrame) -> pl.DataFrame:
    """Return bars, which are in order, without those after a session."""
    if bars.is_empty() or bars["session"][-1] <= last:  # as nearly always: a filter costs more
        return bars
    return bars.filter(pl.col("session") <= last)


def no_bars() -> pl.DataFrame:
    """Return an empty frame of bars with their response."""
    return pl.DataFrame(schema={**BAR_SCHEMA, "response_id": pl.Int64})
