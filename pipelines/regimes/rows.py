"""Rows of `regime_states` from traces: what was known of each series after a session."""

import json
from collections.abc import Iterator, Sequence
from datetime import date

import numpy as np
import polars as pl

from pipelines.nights import Night
from pipelines.regimes.abstaining import abstain_reasons, without_opinion
from pipelines.regimes.endings import endings
from pipelines.regimes.labels import IntArray, sessions_in_label
from pipelines.regimes.model import FloatArray
from pipelines.regimes.names import MARKET, NAMES
from pipelines.regimes.settings import RegimeSettings
from pipelines.regimes.tables import REGIME_STATES
from pipelines.regimes.traces import Trace
from pipelines.regimes.trailing import trailing_metrics
from pipelines.regimes.windows import FitWindow

_KINDS = {
    "VARCHAR": pl.String(),
    "DATE": pl.Date(),
    "DOUBLE": pl.Float64(),
    "INTEGER": pl.Int32(),
}
SCHEMA = pl.Schema({column.name: _KINDS[column.type] for column in REGIME_STATES.columns})


def trace_rows(trace: Trace, window: FitWindow, settings: RegimeSettings) -> Iterator[pl.DataFrame]:
    """Return the rows of a trace, one frame for each night of the window."""
    probabilities, labels = trace.labels(window.fit, settings)
    stood = np.array([sessions_in_label(row) for row in labels]).reshape(labels.shape)
    for night in window.nights:
        at = window.sessions.index(night.session)
        known = trace.returns[:, : at + 1]
        columns = {
            **_names(probabilities[:, at], labels[:, at]),
            **_course(trace.posterior[:, at], labels[:, at], window),
            **trailing_metrics(known),
            "symbol": list(trace.symbols),
            "sessions_in_regime": stood[:, at],
            "log_score": trace.log_scores[:, at],
            "foretold": _foretold(trace, at, window),
            "last_seen": _last_seen(known, window.sessions),
            "abstain_reason": abstain_reasons(known, has_fit=window.fit is not None),
        }
        rows = pl.DataFrame(columns, nan_to_null=True).with_columns(**_of_night(night, window))
        yield without_opinion(rows.select(pl.col(name).cast(SCHEMA[name]) for name in SCHEMA))


def _of_night(night: Night, window: FitWindow) -> dict[str, pl.Expr]:
    """Return what all rows of a night share."""
    return {
        "session": pl.lit(night.session),
        "night_id": pl.lit(night.night_id),
        "origin": pl.lit(night.origin.value),
        "applies_from": pl.lit(window.fit.applies_from if window.fit else None, dtype=pl.Date),
        "recipe": pl.lit(window.fit.recipe if window.fit else None, dtype=pl.String),
    }


def _names(probabilities: FloatArray, labels: IntArray) -> dict[str, object]:
    """Return the label of each row, and how likely each name is."""
    chances = {name.value: probabilities[:, number] for number, name in enumerate(NAMES)}
    return {"regime": [NAMES[label].value for label in labels], **chances}


def _course(posterior: FloatArray, labels: IntArray, window: FitWindow) -> dict[str, object]:
    """Return how the label of each row should go on."""
    if window.fit is None:
        nothing = np.zeros(len(labels))
        return {"expected_sessions": nothing, "transition_risk": nothing}
    expected, risk = endings(
        posterior,
        labels,
        transition=window.fit.model.transition,
        names=window.fit.naming.names,
    )
    return {"expected_sessions": expected, "transition_risk": risk}


def _foretold(trace: Trace, at: int, window: FitWindow) -> list[str | None]:
    """Return what the filter holds the market's next state to be; null of symbols.

    A symbol's states lean on where the market is in the same session: nothing is foretold of it.
    """
    if window.fit is None:
        return [None] * len(trace.symbols)
    chances = trace.posterior[:, at] @ window.fit.model.transition
    return [
        json.dumps(row.tolist()) if symbol == MARKET else None
        for symbol, row in zip(trace.symbols, chances, strict=True)
    ]


def _last_seen(returns: FloatArray, sessions: Sequence[date]) -> pl.Series:
    """Return the session of each row's newest return; null without one."""
    is_known = np.isfinite(returns)
    back = is_known[:, ::-1].argmax(axis=1)
    newest = [
        sessions[returns.shape[1] - 1 - back[row]] if is_known[row].any() else None
        for row in range(len(returns))
    ]
    return pl.Series(newest, dtype=pl.Date)
