"""The live record in the lake: outcomes entered when due, records kept by night."""

from collections.abc import Sequence
from datetime import date, timedelta

import polars as pl

from pipelines.lifecycle.by_regime import TOLD_REGIMES_QUERY, ToldRegimes
from pipelines.lifecycle.outcomes import DUE_OUTCOMES_QUERY, due_parameters
from pipelines.lifecycle.tables import PREDICTION_OUTCOMES, TRACK_RECORDS
from pipelines.lifecycle.track_record import REMEMBERED_DAYS, track_records
from pipelines.nights import Night
from pipelines.signals.nightly import rewritable
from resources.lake import Lake
from resources.lake_writer import LakeWriter


def enter_outcomes(lake: Lake, *, night: Night) -> tuple[int, int]:
    """Enter what came of live signals that are due; return how many are new and corrected."""

    def work(writer: LakeWriter) -> tuple[int, int]:
        due = writer.read(DUE_OUTCOMES_QUERY, due_parameters(night))
        if due.is_empty():
            return 0, 0
        update = writer.merge(PREDICTION_OUTCOMES, due)
        return update.inserted, update.updated

    return lake.commit(work, night=night, message="enter outcomes of signals")


def recent_outcomes(lake: Lake, *, first: date, last: date) -> pl.DataFrame:
    """Return the outcomes that records of the nights from `first` to `last` count, in order."""
    return lake.read(
        f"SELECT * FROM {PREDICTION_OUTCOMES.name} "
        "WHERE session >= $first::DATE - $days::INTEGER AND due_session <= $last "
        "ORDER BY session, symbol",
        {"first": first, "last": last, "days": REMEMBERED_DAYS},
    )


def told_regimes(lake: Lake, *, first: date, last: date) -> ToldRegimes:
    """Return the market's regime by session, for records of the nights from `first` to `last`."""
    rows = lake.read(
        TOLD_REGIMES_QUERY, {"since": first - timedelta(days=REMEMBERED_DAYS), "last": last}
    )
    return dict(rows.iter_rows())


def keep_track_records(lake: Lake, nights: Sequence[Night]) -> int:
    """Measure the record of nights and keep it; a live night's is never rewritten.

    Returns how many nights were measured.
    """
    sessions = [night.session for night in nights]
    fresh = rewritable(nights, lake.of_sessions(TRACK_RECORDS, sessions))
    if not fresh:
        return 0
    known = recent_outcomes(lake, first=fresh[0].session, last=fresh[-1].session)
    told = told_regimes(lake, first=fresh[0].session, last=fresh[-1].session)
    made = [track_records(known, night, told=told) for night in fresh]
    if any(not rows.is_empty() for rows in made):
        lake.replace_sessions(TRACK_RECORDS, pl.concat(made), nights=fresh)
    return len(fresh)
