"""A night's drift as rows of the lake and as documents, and whether it asks for a training."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from pipelines.documents.drift_event import ModelDriftEvent
from pipelines.lifecycle.drift import MODERATE, Drift, Severity, weighted_index
from pipelines.nights import Night
from pipelines.validation.session_bootstrap import Estimate

LIVE_AREA = "live_auc"
SESSIONS_BETWEEN_TRAININGS = 5
"""A drift that the last training has not cured is not cured by one a day later."""

DRIFT_SCHEMA = pl.Schema(
    {
        "session": pl.Date(),
        "metric": pl.String(),
        "night_id": pl.String(),
        "model_version": pl.Int64(),
        "metric_value": pl.Float64(),
        "threshold": pl.Float64(),
        "ks": pl.Float64(),
        "p_value": pl.Float64(),
        "importance": pl.Float64(),
        "is_significant": pl.Boolean(),
        "severity": pl.String(),
        "since": pl.Date(),
        "message": pl.String(),
        "remedy": pl.String(),
    }
)


@dataclass(frozen=True)
class SkillDecay:
    """A live AUC that lies below what the version had shown out of sample, or below chance."""

    live: Estimate
    trained: Estimate

    @property
    def is_below_chance(self) -> bool:
        """Return whether the live opinions are surely worse than a coin."""
        return self.live.upper < 0.5

    @property
    def is_decayed(self) -> bool:
        """Return whether both intervals lie apart."""
        return self.is_below_chance or self.live.upper < self.trained.lower


def drift_rows(
    drifts: Sequence[Drift],
    decay: SkillDecay | None,
    *,
    night: Night,
    model_version: int,
    before: pl.DataFrame,
) -> pl.DataFrame:
    """Return a night's rows of `model_drift`.

    Args:
        drifts: What was measured beside the champion's reference.
        decay: The champion's live AUC beside its trained one; None where one is not known.
        night: The night.
        model_version: The champion.
        before: Rows of the night before, which tell since when a drift lasts.
    """
    shared = {
        "session": night.session,
        "night_id": night.night_id,
        "model_version": model_version,
    }
    rows = [{**shared, **_drift_row(one)} for one in drifts]
    if decay is not None:
        rows.append({**shared, **_decay_row(decay)})
    lasting = before.filter(model_version=model_version)
    since = dict(lasting.select("metric", "since").drop_nulls().iter_rows())
    for row in rows:
        first = since.get(row["metric"], night.session)
        row["since"] = first if row["is_significant"] else None
    return pl.DataFrame(rows, schema=DRIFT_SCHEMA)


def drift_documents(rows: pl.DataFrame, nights: Iterable[Night]) -> Iterator[ModelDriftEvent]:
    """Make the events of drifts that began in some nights; one that lasts is one event."""
    by_session = {night.session: night for night in nights}
    begins = pl.col("is_significant") & (pl.col("since") == pl.col("session"))
    is_grave = pl.col("severity") != Severity.LOW.value
    for row in rows.filter(begins & is_grave).sort("session", "metric").iter_rows(named=True):
        night = by_session[row["session"]]
        yield ModelDriftEvent(
            model_name="signal",
            version=str(row["model_version"]),
            detected_at=night.as_of,
            severity=row["severity"],
            metric_name=row["metric"] if row["metric"] == LIVE_AREA else f"psi_{row['metric']}",
            metric_value=row["metric_value"],
            threshold=row["threshold"],
            message=row["message"],
            remediation_action=row["remedy"],
            market=night.market,
            session=night.session,
            night_id=night.night_id,
            ks=row["ks"],
            p_value=row["p_value"],
            importance=row["importance"],
        )


def retraining_row(
    rows: pl.DataFrame,
    drifts: Sequence[Drift],
    *,
    night: Night,
    trained_through: date | None,
    sessions_since: int,
) -> Mapping[str, Any]:
    """Return a night's row of `retraining_decisions`.

    Args:
        rows: Its rows of `model_drift`.
        drifts: What they were made of.
        night: The night.
        trained_through: How far the newest training has seen, promoted or not.
        sessions_since: Sessions after that one.
    """
    drifting = rows.filter("is_significant")
    grave = drifting.filter(pl.col("severity").is_in([Severity.HIGH, Severity.CRITICAL]))
    names = ", ".join(grave.sort("metric")["metric"])
    if trained_through is None:
        trains, reason = True, "no model has been trained on today's features"
    elif grave.is_empty():
        trains, reason = False, f"no grave drift; {drifting.height} quantities drift"
    elif sessions_since < SESSIONS_BETWEEN_TRAININGS:
        trains, reason = (
            False,
            (
                f"{names} drifts, but the last training is {sessions_since} sessions old: "
                f"the next waits for {SESSIONS_BETWEEN_TRAININGS}"
            ),
        )
    else:
        trains, reason = True, f"grave drift of {names}"
    return {
        "session": night.session,
        "night_id": night.night_id,
        "trains": trains,
        "reason": reason,
        "weighted_psi": weighted_index(drifts),
        "drifting": drifting.height,
        "trained_through": trained_through,
    }


def _drift_row(one: Drift) -> dict[str, Any]:
    """Return a drift's own columns."""
    return {
        "metric": one.metric,
        "metric_value": one.psi,
        "threshold": MODERATE,
        "ks": one.ks,
        "p_value": one.p_value,
        "importance": one.importance,
        "is_significant": one.is_significant,
        "severity": one.severity.value,
        "message": one.message,
        "remedy": one.remedy,
    }


def _decay_row(decay: SkillDecay) -> dict[str, Any]:
    """Return the columns of a live AUC."""
    severity = Severity.CRITICAL if decay.is_below_chance else Severity.HIGH
    return {
        "metric": LIVE_AREA,
        "metric_value": decay.live.upper,
        "threshold": 0.5 if decay.is_below_chance else decay.trained.lower,
        "ks": None,
        "p_value": None,
        "importance": None,
        "is_significant": decay.is_decayed,
        "severity": (severity if decay.is_decayed else Severity.LOW).value,
        "message": f"live AUC {decay.live}, out of sample at training {decay.trained}",
        "remedy": "make rollback VERSION=… to the version before, and retrain"
        if decay.is_below_chance
        else "retrain; the next training challenges the champion",
    }
