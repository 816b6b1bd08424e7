"""Weekly bars as sent against weekly bars as stored; keyed by (symbol, session).

The vendor keys a week by its latest session, so the bar of the running week moves from day to day:
the one that stands for more of its week replaces the one before.
"""

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from pipelines.calendar import ExchangeCalendar
from pipelines.prices.revisions import final_instants

TRADED = ("open", "high", "low", "close", "volume")
RESTATED = ("adjusted_close", "dividend_amount")
"""Values that a later dividend or split changes all over the past: no revision of the bar."""


@dataclass(frozen=True, eq=False)
class WeeklyNews:
    """What an answer brings.

    Attributes:
        rows: New and changed rows of `weekly_prices`, without `response_id`.
        replaced: symbol and session of stored bars that another bar of their week replaces.
    """

    rows: pl.DataFrame
    replaced: pl.DataFrame


def weekly_news(
    stored: pl.DataFrame, sent: pl.DataFrame, *, as_of: datetime, calendar: ExchangeCalendar
) -> WeeklyNews:
    """Return what the weekly bars of a symbol change in `weekly_prices`.

    As for daily bars, the history of the first answer counts as known when it was final
    (`assumed`), everything later since `as_of` (`observed`). A bar whose last session is not final
    is left out: the one stored before it stays.

    Args:
        stored: Rows of weekly_prices of the symbol.
        sent: Its bars in WEEKLY_SCHEMA.
        as_of: The night's instant.
        calendar: Tells which sessions are final.
    """
    final = sent.filter(pl.col("session") <= calendar.last_completed(as_of))
    before = stored.select(
        "session",
        *(pl.col(name).alias(f"{name}_before") for name in (*TRADED, *RESTATED)),
        revision_before="revision",
        known_before="known_at",
        basis_before="known_at_basis",
    )
    is_new = pl.col("revision_before").is_null()
    is_traded_otherwise = pl.any_horizontal(_differs(name) for name in TRADED)
    news = (
        final.join(before, on="session", how="left", maintain_order="left")
        .with_columns(is_revised=is_new | is_traded_otherwise)
        .filter(pl.col("is_revised") | pl.any_horizontal(_differs(name) for name in RESTATED))
        .join(final_instants(final, calendar), on="session", how="left", maintain_order="left")
    )
    is_first = stored.is_empty()
    since = pl.col("final_at") if is_first else pl.lit(as_of).cast(pl.Datetime("us", "UTC"))
    basis = pl.lit("assumed" if is_first else "observed")
    rows = news.select(
        "symbol",
        "session",
        *TRADED,
        *RESTATED,
        known_at=pl.when("is_revised").then(since).otherwise("known_before"),
        known_at_basis=pl.when("is_revised").then(basis).otherwise("basis_before"),
        revision=(
            pl.col("revision_before").fill_null(0) + pl.col("is_revised").cast(pl.Int32)
        ).cast(pl.Int32),
    )
    return WeeklyNews(rows, _replaced(stored, final))


def _differs(name: str) -> pl.Expr:
    """Return whether a value is not as it is stored."""
    return pl.col(name).ne_missing(pl.col(f"{name}_before"))


def _replaced(stored: pl.DataFrame, final: pl.DataFrame) -> pl.DataFrame:
    """Return the stored bars whose week the answer tells under another session."""
    week = pl.col("session").dt.truncate("1w").alias("week")
    gone = stored.select("symbol", "session", week).join(final, on="session", how="anti")
    return gone.join(final.select(week), on="week", how="semi").select("symbol", "session")
