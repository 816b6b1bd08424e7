"""What moved signals since the night before, scored again from what each night knew."""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache

import polars as pl

from pipelines.calendar import ExchangeCalendar
from pipelines.features.catalogue import SIGNAL_GROUPS
from pipelines.nights import Night
from pipelines.signals.changes import Scored, signal_changes
from pipelines.signals.nightly import rewritable
from pipelines.signals.panel import features_query
from pipelines.tables import SIGNAL_CHANGES, SIGNAL_SCORES
from resources.lake import Lake
from resources.model_registry import ModelRegistry

EMPTY = pl.DataFrame(
    schema={
        "symbol": pl.String,
        "session": pl.Date,
        "horizon": pl.Int32,
        "night_id": pl.String,
        "origin": pl.String,
        "former_session": pl.Date,
        "former_model_version": pl.Int64,
        "former_probability": pl.Float64,
        "data_revision": pl.Float64,
        "new_bar": pl.Float64,
        "model": pl.Float64,
        "calibration": pl.Float64,
    }
)
"""No changes, in the columns of `signal_changes`."""


def keep_changes(
    lake: Lake, registry: ModelRegistry, *, nights: Sequence[Night], calendar: ExchangeCalendar
) -> pl.DataFrame:
    """Split the moves of nights and keep them; return what is kept of these nights.

    What a live night has told is never rewritten.
    """
    sessions = [night.session for night in nights]
    fresh = rewritable(nights, lake.of_sessions(SIGNAL_CHANGES, sessions))
    former = {night.session: calendar.previous(night.session) for night in fresh}
    scores = lake.of_sessions(SIGNAL_SCORES, sorted({*former, *former.values()}))
    splitting = _Splitting(lake, registry, scores)
    made = [EMPTY, *(splitting.changes(night, former[night.session]) for night in fresh)]
    lake.replace_sessions(SIGNAL_CHANGES, pl.concat(made), nights=fresh)
    return lake.of_sessions(SIGNAL_CHANGES, sessions)


class _Splitting:
    """Scores nights again."""

    def __init__(self, lake: Lake, registry: ModelRegistry, scores: pl.DataFrame) -> None:
        self._lake, self._scores = lake, scores
        self._model = lru_cache(registry.version)

    def changes(self, night: Night, former_session: date) -> pl.DataFrame:
        """Return the rows of `signal_changes` of a night."""
        tonight, former = (
            self._scores.filter(session=session) for session in (night.session, former_session)
        )
        if not (has_opinion(former) and has_opinion(tonight)):
            return EMPTY
        models = [self._model(int(rows["model_version"][0])) for rows in (former, tonight)]
        if models[0].features != models[1].features:
            return EMPTY  # the former version's tables may not have tonight's columns
        told = signal_changes(
            Scored(former, self._features_then(former_session), models[0]),
            self._features(former_session),
            Scored(tonight, self._features(night.session), models[1]),
        )
        return told.with_columns(
            session=pl.lit(night.session, dtype=pl.Date),
            horizon=pl.lit(int(tonight["horizon"][0]), dtype=pl.Int32),
            night_id=pl.lit(night.night_id),
            origin=pl.lit(night.origin.value),
            former_session=pl.lit(former_session, dtype=pl.Date),
            former_model_version=pl.lit(former["model_version"][0], dtype=pl.Int64),
        ).select(EMPTY.columns)

    def _features(self, session: date, *, version: int | None = None) -> pl.DataFrame:
        """Return the features of a session, as they are or as of a version."""
        query = features_query(SIGNAL_GROUPS, at="{at}")
        return self._lake.read(query, {"sessions": [session]}, version=version)

    def _features_then(self, session: date) -> pl.DataFrame:
        """Return the features of a session as its night published from them."""
        held = self._lake.read(
            "SELECT lake_snapshot FROM nights WHERE session = $session", {"session": session}
        )
        version: int | None = held["lake_snapshot"][0] if held.height else None
        return self._features(session, version=version)  # of this very run, it has none yet


def has_opinion(scores: pl.DataFrame) -> bool:
    """Tell whether a night has an opinion on any symbol."""
    return scores.filter(pl.col("abstain_reason").is_null()).height > 0
