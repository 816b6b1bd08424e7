"""Trainings as documents: runs, the experiment that they belong to, and the features they use."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import polars as pl

from pipelines.documents.feature_usage import FeatureUsage
from pipelines.documents.model_run import (
    ArtifactReference,
    ModelExperiment,
    ModelRun,
    ParameterSnapshot,
)
from pipelines.documents.model_version import MetricSnapshot
from pipelines.lifecycle.reference import features_of
from pipelines.lifecycle.versions import MODEL_NAME, SignalVersion, aliases_of, champion_of

EXPERIMENT = "signals"
OUT_OF_SAMPLE = "walk-forward predictions out of sample"
PANEL = "features and next-session labels"

Status = Literal["running", "completed", "failed", "cancelled"]
STATUS: Mapping[str, Status] = {
    "FINISHED": "completed",
    "FAILED": "failed",
    "KILLED": "cancelled",
}


@dataclass(frozen=True)
class TrainingRun:
    """What MLflow holds of a training."""

    run_id: str
    status: str
    started_at: datetime
    completed_at: datetime | None
    parameters: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    artifacts: Mapping[str, str]


def run_documents(
    runs: Sequence[TrainingRun], versions: Sequence[SignalVersion]
) -> Iterator[ModelRun]:
    """Make a document for each training of a market."""
    finals = {one.run_id: one for one in versions if one.serves_through is None}
    for run in runs:
        final = finals.get(run.run_id)
        decision = final.decision if final else None
        yield ModelRun(
            run_id=run.run_id,
            experiment_name=EXPERIMENT,
            status=STATUS.get(run.status, "running"),
            started_at=run.started_at,
            completed_at=run.completed_at,
            parameters=tuple(
                ParameterSnapshot(name=name, value=value)
                for name, value in sorted(run.parameters.items())
            ),
            metrics=tuple(
                MetricSnapshot(metric_name=name, value=value, dataset=OUT_OF_SAMPLE)
                for name, value in sorted(run.metrics.items())
                if math.isfinite(value)
            ),
            dataset_name=PANEL,
            dataset_version=final.data_hash if final else None,
            tags=tuple(f"{name}={value}" for name, value in sorted(run.tags.items())),
            artifacts=tuple(
                ArtifactReference(name=name, uri=uri, artifact_type="plot")
                for name, uri in sorted(run.artifacts.items())
            ),
            notes=f"{decision.verdict.value}: {decision.reason}" if decision else None,
            market=run.tags["market"],
        )


def experiment_document(
    runs: Sequence[TrainingRun], versions: Sequence[SignalVersion], *, owner: str
) -> ModelExperiment:
    """Make the document of the experiment that all trainings belong to."""
    named = aliases_of(versions)
    verdicts = Counter(one.decision.verdict.value for one in versions if one.decision)
    newest = max(runs, key=lambda run: run.started_at, default=None)
    return ModelExperiment(
        name=EXPERIMENT,
        description="The sign of each symbol's next session: calibrated boosters on the panel.",
        owner=owner,
        status="active",
        tags=("lightgbm", "catboost", "walk-forward"),
        metadata={
            **{alias: one.number if one else None for alias, one in named.items()},
            "versions": len(versions),
            "trainings": len(runs),
            "verdicts": dict(sorted(verdicts.items())),
        },
        metrics={
            name: value
            for name, value in sorted(newest.metrics.items() if newest else ())
            if math.isfinite(value)
        },
    )


def usage_documents(
    references: pl.DataFrame,
    versions: Sequence[SignalVersion],
    *,
    feature_numbers: Mapping[str, str],
) -> Iterator[FeatureUsage]:
    """Make a document for each feature of each version.

    Args:
        references: Rows of `model_references` of versions that learned from today's features.
        versions: Those versions.
        feature_numbers: The number of each feature's version in force.
    """
    champion = champion_of(versions)
    by_number = {one.number: one for one in versions}
    watched = set(features_of(references))
    for row in references.sort("model_version", "feature").iter_rows(named=True):
        one = by_number.get(row["model_version"])
        if one is None or row["feature"] not in watched:
            continue
        yield FeatureUsage(
            feature_name=row["feature"],
            feature_version=feature_numbers[row["feature"]],
            used_by_model=MODEL_NAME,
            model_version=str(one.number),
            environment=_environment(one, champion),
            feature_importance=row["importance"],
            correlation_with_target=row["correlation"],
            usage_timestamp=one.created_at,
            execution_id=one.run_id,
            market=one.market,
        )


def _environment(
    one: SignalVersion, champion: SignalVersion | None
) -> Literal["production", "staging", "development"]:
    """Return where a version stands."""
    if one == champion:
        return "production"
    return "staging" if one.may_be_champion else "development"
