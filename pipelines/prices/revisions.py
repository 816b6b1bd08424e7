"""Bars as sent against bars as stored: what is new, what the vendor changed, since when we know.

Keyed by (symbol, session).
"""

from datetime import datetime

import polars as pl

from pipelines.calendar import ExchangeCalendar
from pipelines.markets.recorded import BAR_SCHEMA
from pipelines.prices.readjustments import with_readjustments

VALUES = [name for name in BAR_SCHEMA.names() if name not in ("symbol", "session")]


def revise(
    stored: pl.DataFrame,
    sent: pl.DataFrame,
    *,
    as_of: datetime,
    calendar: ExchangeCalendar,
    restated: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Return the rows of `daily_prices` that are new or that the vendor changed.

    History that comes with a symbol's first answer is taken to have been known when it was final
    (`assumed`); everything later is known since `as_of` (`observed`). A bar of which listed actions
    readjust nothing but the adjusted close keeps its revision and its instant.

    Beside the columns of the table, rows carry what the journal needs: former values as
    `<name>_before` and in the other columns that end so, `changed`, and the columns of
    `pipelines.prices.readjustments`.

    Args:
        stored: Rows of daily_prices of the symbols that were sent.
        sent: Bars with `response_id`, one a key.
        as_of: The night's instant.
        calendar: Tells when a session's bar was final.
        restated: Symbol and session of stored bars that were in doubt and were now sent without:
            each is a new revision, equal or not.
    """
    doubted = stored.select("symbol", "session").clear() if restated is None else restated
    news = with_readjustments(_changed_bars(stored, sent, doubted), stored, sent)
    known = stored.select("symbol").unique().with_columns(seen_before=True)
    is_kept = pl.col("is_readjusted").fill_null(value=False)
    since = pl.when("seen_before").then(pl.lit(as_of)).otherwise("final_at")
    basis = pl.when("seen_before").then(pl.lit("observed")).otherwise(pl.lit("assumed"))
    return (
        news.join(known, on="symbol", how="left")
        .join(final_instants(news, calendar), on="session", how="left", maintain_order="left")
        .with_columns(
            known_at=pl.when(is_kept).then("known_before").otherwise(since),
            known_at_basis=pl.when(is_kept).then("basis_before").otherwise(basis),
            revision=(pl.col("revision_before").fill_null(0) + (~is_kept).cast(pl.Int32)).cast(
                pl.Int32
            ),
        )
    )


def _changed_bars(stored: pl.DataFrame, sent: pl.DataFrame, restated: pl.DataFrame) -> pl.DataFrame:
    """Return the bars that are new, restated or not as stored, with the former values."""
    before = stored.select(
        "symbol",
        "session",
        *(pl.col(name).alias(f"{name}_before") for name in VALUES),
        revision_before="revision",
        known_before="known_at",
        basis_before="known_at_basis",
        response_before="response_id",
    )
    is_stored = pl.col("revision_before").is_not_null()
    names = [
        pl.when(is_stored & pl.col(name).ne_missing(pl.col(f"{name}_before"))).then(pl.lit(name))
        for name in VALUES
    ]
    again = restated.select("symbol", "session").with_columns(is_restated=True)
    return (
        sent.join(before, on=["symbol", "session"], how="left", maintain_order="left")
        .join(again, on=["symbol", "session"], how="left", maintain_order="left")
        .with_columns(changed=pl.concat_list(names).list.drop_nulls())
        .filter(~is_stored | (pl.col("changed").list.len() > 0) | pl.col("is_restated"))
        .drop("is_restated")
    )


def final_instants(news: pl.DataFrame, calendar: ExchangeCalendar) -> pl.DataFrame:
    """Return when each day's bar was final; a day that is no session counts to the one before.

    A day before the calendar begins counts to the first session: the rules will name it.
    """
    days = news["session"].unique().sort().to_list()
    sessions = [calendar.at_or_before(max(day, calendar.first_session)) for day in days]
    instants = [calendar.known_at(session) for session in sessions]
    schema = pl.Schema({"session": pl.Date(), "final_at": pl.Datetime("us", "UTC")})
    return pl.DataFrame({"session": days, "final_at": instants}, schema=schema)
