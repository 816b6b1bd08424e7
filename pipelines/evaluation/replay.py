"""Scenarios seen again: what a model of each session's own time would have said of it.

Rows are long, keyed by (symbol, session), as training reads them: features, label_end, is_up,
next_session_return, exit_session and next_open_return. Features of bars that were corrected after
their label are not among them. A model scores a session only if its last label ended before.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from pipelines.signals.model import TrainedSignal
from pipelines.signals.scoring import (
    WITHOUT_FEATURES,
    LookAheadError,
    abstain_reason,
    recommendation_bucket,
)

VersionedModel = tuple[int, TrainedSignal]
ModelFor = Callable[[date], VersionedModel | None]

OPINIONS = {
    "model_version": pl.Int64(),
    "base_rate": pl.Float64(),
    "raw_probability": pl.Float64(),
    "probability": pl.Float64(),
    "recommendation": pl.String(),
    "abstain_reason": pl.String(),
}
"""What a replay adds to a row; `probability` and `recommendation` as if nothing abstained."""


@dataclass(frozen=True, eq=False)
class Turn:
    """The sessions in which one version was the model of its time, and their rows."""

    version: int
    model: TrainedSignal
    rows: pl.DataFrame


def always(version: int, model: TrainedSignal) -> ModelFor:
    """Return a look-up that gives one version for every session after what it has seen."""
    return lambda session: (version, model) if model.trained_through < session else None


def turns(panel: pl.DataFrame, model_for: ModelFor) -> list[Turn]:
    """Return each version's sessions of `panel`, the oldest first; sessions without one are out.

    So is a row that lacks a feature which its model needs: there is no opinion to judge.

    Raises:
        LookAheadError: a model was trained through a session that it is given.
    """
    served: dict[int, tuple[TrainedSignal, list[date]]] = {}
    for session in panel["session"].unique().sort():
        if chosen := model_for(session):
            version, model = chosen
            served.setdefault(version, (model, []))[1].append(session)
    return [_turn(panel, version, model, sessions) for version, (model, sessions) in served.items()]


def replay(replayed: list[Turn]) -> pl.DataFrame:
    """Return the rows of turns with OPINIONS in place of features, by session and symbol."""
    if not replayed:
        return pl.DataFrame(schema={"symbol": pl.String(), "session": pl.Date(), **OPINIONS})
    return pl.concat([*map(_opinions, replayed)], how="diagonal").sort("session", "symbol")


def _turn(panel: pl.DataFrame, version: int, model: TrainedSignal, sessions: list[date]) -> Turn:
    """Return the rows that a version scores.

    Raises:
        LookAheadError: it was trained through one of their sessions.
    """
    if model.trained_through >= sessions[0]:
        message = (
            f"version {version} was trained through {model.trained_through} and may not be "
            f"replayed on {sessions[0]}: take one with an earlier trained_through"
        )
        raise LookAheadError(message)
    rows = (
        panel.filter(pl.col("session").is_in(sessions))
        .with_columns(has_row=pl.lit(value=True))
        .with_columns(abstain_reason(model, (), ()).alias("abstain_reason"))
        .filter(~pl.col("abstain_reason").is_in(list(WITHOUT_FEATURES)).fill_null(value=False))
        .drop("has_row")
        .sort("session", "symbol")
    )
    return Turn(version, model, rows)


def _opinions(turn: Turn) -> pl.DataFrame:
    """Return what a version says of its rows."""
    model, rows = turn.model, turn.rows
    margin = model.margins(rows) if rows.height else np.empty(0)
    return (
        rows.drop(model.features)
        .with_columns(
            model_version=pl.lit(turn.version, dtype=pl.Int64),
            base_rate=pl.lit(model.base_rate, dtype=pl.Float64),
            raw_probability=pl.Series(model.raw_probability(margin), dtype=pl.Float64),
            probability=pl.Series(model.calibration.probability(margin), dtype=pl.Float64),
        )
        .with_columns(recommendation_bucket().alias("recommendation"))
    )
