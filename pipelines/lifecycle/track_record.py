"""The record of live signals: rolling figures by model version and regime, from known outcomes.

Outcomes are long, keyed by (symbol, session): rows of `prediction_outcomes`. A night's record uses
those that were due by its session, of the newest sessions that have any.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

import numpy as np
import polars as pl

from pipelines.documents.measured import measured
from pipelines.documents.track_record import MEASURED, LiveRecord, ModelTrackRecord
from pipelines.lifecycle.by_regime import ToldRegimes, basis_in, in_each_regime
from pipelines.nights import Night
from pipelines.validation.metrics import measure_predictions
from pipelines.validation.session_bootstrap import Estimate

WINDOWS = (63, 252)
"""A quarter and a year of sessions."""
REMEMBERED_DAYS = 400
"""A year of sessions and some: what is older counts in no record, and is corrected no more."""
# With fewer, whole sessions drawn again are so alike that an interval would say too little of luck.
FEWEST_SESSIONS = 20
ALL_VERSIONS = "all"
NEWEST_VERSIONS = 3
"""Versions with a record of their own: the newest that have an outcome in the window."""
RESAMPLES = 500
SEED = 20_130_228


class Basis(StrEnum):
    """What a record measures.

    `published` are the opinions as they were published. `model` is whatever a model said, abstained
    or not, by its raw probability: it only ranks, so nothing that asks for its scale is measured.
    """

    PUBLISHED = "published"
    MODEL = "model"


FIGURES: Mapping[Basis, tuple[str, ...]] = {
    Basis.PUBLISHED: MEASURED,
    Basis.MODEL: ("auc", "ic", "rank_ic", "net_return"),
}
"""The figures that each basis can be asked for."""

RECORD_SCHEMA = pl.Schema(
    {
        "session": pl.Date(),
        "basis": pl.String(),
        "model_version": pl.String(),
        "window_sessions": pl.Int32(),
        "night_id": pl.String(),
        "origin": pl.String(),
        "rows": pl.Int64(),
        "sessions": pl.Int64(),
        "first_session": pl.Date(),
        "last_session": pl.Date(),
        "figures": pl.String(),
        "note": pl.String(),
        "regime": pl.String(),
    }
)


def track_records(outcomes: pl.DataFrame, night: Night, *, told: ToldRegimes) -> pl.DataFrame:
    """Return a night's rows of `track_records`; none while no live signal has come due.

    Args:
        outcomes: Rows of `prediction_outcomes`; those due after the night are left out.
        night: The night that measures.
        told: The market's regime by session, as it was published; see `by_regime`.
    """
    since = night.session - timedelta(days=REMEMBERED_DAYS)
    known = known_by(outcomes, night.session).filter(pl.col("session") >= since)
    rows = [
        {
            "session": night.session,
            "basis": basis_in(basis.value, regime),
            "regime": regime,
            "model_version": version,
            "window_sessions": window,
            "night_id": night.night_id,
            "origin": night.origin.value,
            **record,
        }
        for basis in Basis
        for window in WINDOWS
        for regime, some in cells(newest_sessions(known, window), told, window=window)
        for version, record in _by_version(some, basis).items()
    ]
    return pl.DataFrame(rows, schema=RECORD_SCHEMA)


def known_by(outcomes: pl.DataFrame, session: date) -> pl.DataFrame:
    """Return the outcomes that were due by a session; what a trade earns only where it is over."""
    is_over = pl.col("exit_session") <= session
    return outcomes.filter(pl.col("due_session") <= session).with_columns(
        pl.when(is_over).then("next_open_return").alias("next_open_return")
    )


def record_documents(records: pl.DataFrame, nights: Iterable[Night]) -> Iterator[ModelTrackRecord]:
    """Make the documents of rows of `track_records` of some nights."""
    markets = {night.session: night.market for night in nights}
    for row in records.iter_rows(named=True):
        yield ModelTrackRecord(
            model_name="signal",
            market=markets[row["session"]],
            **{name: value for name, value in row.items() if name != "figures"},
            **_figures(row),
        )


def live_records(records: pl.DataFrame) -> dict[tuple[date, int], LiveRecord]:
    """Return the longest record of published opinions, by session and model version."""
    longest = (pl.col("basis") == Basis.PUBLISHED.value) & (
        pl.col("window_sessions") == max(WINDOWS)
    )
    return {
        (row["session"], int(row["model_version"])): LiveRecord(
            rows=row["rows"], sessions=row["sessions"], note=row["note"], **_figures(row)
        )
        for row in records.filter(longest).iter_rows(named=True)
        if row["model_version"] != ALL_VERSIONS
    }


def live_figures(row: Mapping[str, Any]) -> dict[str, Estimate]:
    """Return the measured figures of a row of `track_records`, by name."""
    return {name: Estimate(**value) for name, value in json.loads(row["figures"]).items()}


def cells(
    outcomes: pl.DataFrame, told: ToldRegimes, *, window: int
) -> Iterator[tuple[str | None, pl.DataFrame]]:
    """Yield all outcomes of a window, and in the longest those of each regime's sessions.

    A quarter is seldom more than one regime long: its record would be that of all, or too short.
    """
    yield None, outcomes
    if window == max(WINDOWS):
        yield from in_each_regime(outcomes, told)


def newest_sessions(outcomes: pl.DataFrame, window: int) -> pl.DataFrame:
    """Return the outcomes of the newest `window` sessions that have any."""
    sessions = outcomes["session"].unique().sort().tail(window)
    return outcomes.filter(pl.col("session").is_in(sessions.implode()))


def _predictions(outcomes: pl.DataFrame, basis: Basis) -> pl.DataFrame:
    """Return the outcomes that a basis measures, with what was said of each as `probability`."""
    if basis is Basis.PUBLISHED:
        return outcomes.filter(pl.col("abstain_reason").is_null())
    return outcomes.filter(pl.col("raw_probability").is_not_null()).with_columns(
        probability="raw_probability"
    )


def _by_version(outcomes: pl.DataFrame, basis: Basis) -> dict[str, dict[str, Any]]:
    """Return the record of all that a basis measures, and of each of the newest versions."""
    predictions = _predictions(outcomes, basis)
    if predictions.is_empty():
        return {}
    every = _record(predictions, basis)
    versions = predictions["model_version"].unique().sort().tail(NEWEST_VERSIONS).to_list()
    if len(versions) == 1:
        return {ALL_VERSIONS: every, str(versions[0]): every}
    of_version = {
        str(version): _record(predictions.filter(pl.col("model_version") == version), basis)
        for version in versions
    }
    return {ALL_VERSIONS: every, **of_version}


def _record(predictions: pl.DataFrame, basis: Basis) -> dict[str, Any]:
    """Return how much there is to measure, and the figures where it is enough."""
    sessions = predictions["session"].n_unique()
    is_enough = sessions >= FEWEST_SESSIONS
    figures = _measured(predictions, basis) if is_enough else {}
    return {
        "rows": predictions.height,
        "sessions": sessions,
        "first_session": predictions["session"].min(),
        "last_session": predictions["session"].max(),
        "figures": json.dumps({name: asdict(value) for name, value in figures.items()}),
        "note": None
        if is_enough
        else f"{sessions} of the {FEWEST_SESSIONS} sessions that a figure needs",
    }


def _measured(predictions: pl.DataFrame, basis: Basis) -> dict[str, Estimate]:
    """Return the figures that a basis can be asked for, where they are defined."""
    found = measure_predictions(
        predictions,
        rng=np.random.default_rng(SEED),
        resamples=RESAMPLES,
        only=FIGURES[basis],
    ).estimates()
    return {name: found[name] for name in FIGURES[basis] if name in found}


def _figures(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return every figure of a row as documents show it, None where it was not measured."""
    held = live_figures(row)
    return {name: measured(held.get(name)) for name in MEASURED}
