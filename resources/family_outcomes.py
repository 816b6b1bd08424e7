"""What came of live regimes and forecasts, in the lake, and the records made of it."""

from collections.abc import Sequence
from datetime import date, timedelta

import polars as pl

from pipelines.lifecycle.family_records import family_records
from pipelines.lifecycle.forecast_outcomes import DUE_FORECASTS_QUERY
from pipelines.lifecycle.outcomes import due_parameters
from pipelines.lifecycle.regime_outcomes import (
    DUE_REGIMES_QUERY,
    MARKET_TOLD_QUERY,
    market_returns,
)
from pipelines.lifecycle.tables import (
    FAMILY_RECORDS,
    FORECAST_OUTCOMES,
    PREDICTION_OUTCOMES,
    REGIME_OUTCOMES,
)
from pipelines.lifecycle.track_record import REMEMBERED_DAYS
from pipelines.nights import Night
from pipelines.signals.nightly import rewritable
from pipelines.table import Table
from resources.lake import Lake
from resources.lake_writer import LakeWriter
from resources.regime_fits import fits_behind, read_series
from resources.track_record import told_regimes

SETTLING = timedelta(days=30)
"""Bars before the first session, so that each has one to be a return of."""


def enter_regime_outcomes(lake: Lake, *, night: Night) -> tuple[int, int]:
    """Enter what came of live regimes that are due; return how many are new and corrected."""
    parameters = due_parameters(night)
    told = lake.read(MARKET_TOLD_QUERY, {name: parameters[name] for name in ("since", "session")})
    sessions: list[date] = told["session"].to_list()
    series = read_series(lake, sessions[0] - SETTLING, night.session) if sessions else []
    returns = market_returns(told, fits_behind(lake, sessions), series)

    def work(writer: LakeWriter) -> tuple[int, int]:
        writer.connection.register("market_returns", returns.to_arrow())
        due = writer.read(DUE_REGIMES_QUERY, parameters)
        writer.connection.unregister("market_returns")
        return _merged(writer, REGIME_OUTCOMES, due)

    return lake.commit(work, night=night, message="enter outcomes of regimes")


def enter_forecast_outcomes(lake: Lake, *, night: Night) -> tuple[int, int]:
    """Enter what came of live forecasts that are due; return how many are new and corrected."""

    def work(writer: LakeWriter) -> tuple[int, int]:
        due = writer.read(DUE_FORECASTS_QUERY, due_parameters(night))
        return _merged(writer, FORECAST_OUTCOMES, due)

    return lake.commit(work, night=night, message="enter outcomes of portfolio forecasts")


def keep_family_records(lake: Lake, nights: Sequence[Night]) -> int:
    """Measure the record of nights and keep it; a live night's is never rewritten.

    Returns how many nights were measured.
    """
    sessions = [night.session for night in nights]
    fresh = rewritable(nights, lake.of_sessions(FAMILY_RECORDS, sessions))
    if not fresh:
        return 0
    first, last = fresh[0].session, fresh[-1].session
    regimes, forecasts = (
        _recent(lake, table, first=first, last=last)
        for table in (REGIME_OUTCOMES, FORECAST_OUTCOMES)
    )
    told = told_regimes(lake, first=first, last=last)
    made = [family_records(regimes, forecasts, night, told=told) for night in fresh]
    if any(not rows.is_empty() for rows in made):
        lake.replace_sessions(FAMILY_RECORDS, pl.concat(made), nights=fresh)
    return len(fresh)


def entries_of(lake: Lake) -> pl.DataFrame:
    """Return due_session and entered_at of the outcomes of all families."""
    tables = (PREDICTION_OUTCOMES, REGIME_OUTCOMES, FORECAST_OUTCOMES)
    return lake.read(
        " UNION ".join(f"SELECT due_session, entered_at FROM {table.name}" for table in tables)
    )


def due_in(lake: Lake, table: Table, due: Sequence[date]) -> pl.DataFrame:
    """Return the outcomes of a table that came due in some sessions."""
    return lake.read(
        f"SELECT * FROM {table.name} WHERE list_contains($due, due_session)", {"due": list(due)}
    )


def _recent(lake: Lake, table: Table, *, first: date, last: date) -> pl.DataFrame:
    """Return the outcomes that records of the nights from `first` to `last` count, in order."""
    return lake.read(
        f"SELECT * FROM {table.name} WHERE session >= $since AND due_session <= $last "
        f"ORDER BY {', '.join(table.key)}",
        {"since": first - timedelta(days=REMEMBERED_DAYS), "last": last},
    )


def _merged(writer: LakeWriter, table: Table, due: pl.DataFrame) -> tuple[int, int]:
    """Write what is due; nothing where nothing is."""
    if due.is_empty():
        return 0, 0
    update = writer.merge(table, due)
    return update.inserted, update.updated
