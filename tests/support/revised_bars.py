"""Bars as stored, sent anew and journaled, without a lake."""

from datetime import UTC, datetime

import polars as pl

from pipelines.calendar import ExchangeCalendar
from pipelines.markets.recorded import BAR_SCHEMA
from pipelines.prices.journal import as_in_force, journal_rows
from pipelines.prices.revisions import revise
from pipelines.tables import DAILY_PRICES

CALENDAR = ExchangeCalendar.of("XNYS")
FIRST_NIGHT = datetime(2024, 3, 1, 2, tzinfo=UTC)
NEXT_NIGHT = datetime(2024, 3, 2, 2, tzinfo=UTC)
NOTHING = pl.DataFrame(
    schema={
        **BAR_SCHEMA,
        "known_at": pl.Datetime("us", "UTC"),
        "known_at_basis": pl.String,
        "revision": pl.Int32,
        "response_id": pl.Int64,
    }
)


def stored(bars: pl.DataFrame, *, revision: int = 1) -> pl.DataFrame:
    """Return bars as rows of `daily_prices` after a first load."""
    rows = changes(NOTHING, bars, response_id=1, as_of=FIRST_NIGHT)
    return rows.select(DAILY_PRICES.column_names).with_columns(
        revision=pl.lit(revision, dtype=pl.Int32)
    )


def changes(
    rows: pl.DataFrame, bars: pl.DataFrame, *, response_id: int = 2, as_of: datetime = NEXT_NIGHT
) -> pl.DataFrame:
    """Return what bars that are sent change in stored rows."""
    number = pl.lit(response_id, dtype=pl.Int64).alias("response_id")
    return revise(rows, bars.with_columns(number), as_of=as_of, calendar=CALENDAR)


def journal_of(
    rows: pl.DataFrame, bars: pl.DataFrame, in_force: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Return the journal's rows of bars that are sent, by session.

    Args:
        rows: Stored rows.
        bars: Bars that are sent.
        in_force: The bars that models used; all stored ones if not given.
    """
    used = as_in_force(rows if in_force is None else in_force)
    return journal_rows(changes(rows, bars), used, night_id="n2", as_of=NEXT_NIGHT).sort("session")
