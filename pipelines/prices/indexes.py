"""Bars of indexes as sent against bars as stored; keyed by (symbol, session).

No rule of the quality stage judges an index: a bar that can't be is not taken, and told.
"""

from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from pipelines.calendar import ExchangeCalendar
from pipelines.markets.indexes import INDEX_VALUES
from pipelines.prices.revisions import final_instants

KEY = ("symbol", "session")
LARGEST_STEP = 3.0
"""No index has ever tripled in a session, or fallen to a third: the VIX rose by 116 % at most
(2018-02-05)."""


@dataclass(frozen=True, eq=False)
class IndexNews:
    """What an answer brings.

    Attributes:
        rows: New and changed rows of `index_prices`, without `response_id`.
        refused: Symbol and session of bars that can't be, with `fault`.
    """

    rows: pl.DataFrame
    refused: pl.DataFrame


def index_news(
    stored: pl.DataFrame, sent: pl.DataFrame, *, as_of: datetime, calendar: ExchangeCalendar
) -> IndexNews:
    """Return what the bars of an index change in `index_prices`.

    As for symbols, the history of the first answer counts as known when it was final (`assumed`),
    everything later since `as_of` (`observed`). A bar that is not final yet is left out.

    Args:
        stored: Rows of index_prices of the index.
        sent: Its bars in INDEX_SCHEMA.
        as_of: The night's instant.
        calendar: The exchange's sessions.
    """
    final = sent.filter(pl.col("session") <= calendar.last_completed(as_of))
    judged = final.with_columns(fault=_fault(final, calendar))
    before = stored.select(
        "symbol", "session", *(pl.col(n).alias(f"{n}_before") for n in INDEX_VALUES), "revision"
    )
    is_new = pl.col("revision").is_null()
    differs = [pl.col(name).ne_missing(pl.col(f"{name}_before")) for name in INDEX_VALUES]
    news = (
        judged.filter(pl.col("fault").is_null())
        .join(before, on=["symbol", "session"], how="left", maintain_order="left")
        .filter(is_new | pl.any_horizontal(differs))
    )
    is_first = stored.is_empty()
    since = "final_at" if is_first else pl.lit(as_of).cast(pl.Datetime("us", "UTC"))
    rows = news.join(
        final_instants(news, calendar), on="session", how="left", maintain_order="left"
    ).select(
        "symbol",
        "session",
        *INDEX_VALUES,
        volume=pl.lit(None, dtype=pl.Int64),
        known_at=since,
        known_at_basis=pl.lit("assumed" if is_first else "observed"),
        revision=(pl.col("revision").fill_null(0) + 1).cast(pl.Int32),
    )
    return IndexNews(rows, judged.drop_nulls("fault").select("symbol", "session", "fault"))


def index_faults(rows: pl.DataFrame, newest: date) -> list[str]:
    """Return what a person should look at: indexes that end early, and steps beyond belief.

    Args:
        rows: index_prices.
        newest: The session that every index should reach.
    """
    ends = rows.group_by("symbol").agg(pl.col("session").max()).sort("symbol")
    late = [f"{symbol} ends on {last}" for symbol, last in ends.iter_rows() if last < newest]
    step = pl.col("close") / pl.col("close").shift(1).over("symbol", order_by="session")
    wild = rows.with_columns(step=step).filter(
        (pl.col("step") > LARGEST_STEP) | (pl.col("step") < 1 / LARGEST_STEP)
    )
    steps = [
        f"{symbol} on {session} is {step:.3g} times the day before"
        for symbol, session, step in wild.sort("symbol", "session").select(*KEY, "step").iter_rows()
    ]
    return late + steps


def _fault(bars: pl.DataFrame, calendar: ExchangeCalendar) -> pl.Expr:
    """Return why a bar can't be, null where it can."""
    days = bars["session"].unique()
    sessions = calendar.sessions(days.min(), days.max()) if bars.height else []  # type: ignore[arg-type]  # dates
    return (
        pl.when(~pl.col("session").is_in(sessions))
        .then(pl.lit("the exchange does not trade on that day"))
        .when(pl.min_horizontal(INDEX_VALUES) <= 0)
        .then(pl.lit("a level is zero or below"))
    )
