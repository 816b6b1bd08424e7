"""Trainings, experiment and feature usages as documents that the backend can list."""

from datetime import timedelta

import polars as pl

from pipelines.lifecycle.promotion import Verdict
from pipelines.lifecycle.reference import REFERENCE_SCHEMA
from pipelines.lifecycle.run_documents import (
    TrainingRun,
    experiment_document,
    run_documents,
    usage_documents,
)
from tests.support.backend_contract import assert_valid
from tests.support.versions import AT, version

FIRST, SECOND = version(2, Verdict.FIRST), version(3, Verdict.KEPT, days=7)
RUN = TrainingRun(
    run_id=FIRST.run_id,
    status="FINISHED",
    started_at=AT,
    completed_at=AT + timedelta(seconds=9),
    parameters={"seeds": "5"},
    metrics={"auc": 0.53, "odd": float("nan")},
    tags={"market": "sample", "night_id": "n1"},
    artifacts={"calibration.png": "file:///plots/calibration.png"},
)
WRITTEN = {"created_at": AT, "updated_at": AT}


def references() -> pl.DataFrame:
    """Return what two versions learned from."""
    rows = [
        {
            "feature": name,
            "importance": importance,
            "correlation": None if name == "frozen" else 0.02,
            "edges": "[]",
            "shares": "[]",
            "log_ks_mean": 0.0,
            "log_ks_deviation": 1.0,
            "months": 12,
        }
        for name, importance in (("trend", 0.9), ("frozen", 0.1), ("label", None))
    ]
    one = pl.DataFrame(rows, schema=REFERENCE_SCHEMA)
    return pl.concat(one.with_columns(model_version=pl.lit(number)) for number in (2, 3, 9))


def test_runs_and_their_experiment_are_valid_for_the_backend() -> None:
    """A figure that is no number, or a missing field, would make the list an error."""
    (run,) = run_documents([RUN], [FIRST, SECOND])
    assert_valid("model_runs", run.to_mongo() | WRITTEN)
    assert [one.metric_name for one in run.metrics] == ["auc"]
    assert (run.status, run.dataset_version) == ("completed", SECOND.data_hash)
    assert run.notes == "kept: because"
    experiment = experiment_document([RUN], [FIRST, SECOND], owner="team:nightdesk")
    assert_valid("model_experiments", experiment.to_mongo() | WRITTEN)
    assert experiment.metadata["verdicts"] == {"first": 1, "kept": 1}
    assert experiment.metadata["champion"] == 2
    assert experiment.metadata["challenger"] == 3
    assert dict(experiment.metrics) == {"auc": 0.53}
    nothing = experiment_document([], [], owner="team:nightdesk")
    assert_valid("model_experiments", nothing.to_mongo() | WRITTEN)


def test_usages_say_what_each_feature_is_worth_to_each_version() -> None:
    """Who wants to drop a feature asks which model would miss it."""
    usages = list(
        usage_documents(
            references(),
            [FIRST, SECOND],
            feature_numbers={"trend": "1.0.0", "frozen": "2.0.0"},
        )
    )
    for usage in usages:
        assert_valid("feature_usages", usage.to_mongo() | WRITTEN)
    assert [(one.model_version, one.feature_name, one.environment) for one in usages] == [
        ("2", "frozen", "production"),
        ("2", "trend", "production"),
        ("3", "frozen", "development"),
        ("3", "trend", "development"),
    ]
    assert [one.feature_importance for one in usages[:2]] == [0.1, 0.9]
    assert [one.correlation_with_target for one in usages[:2]] == [None, 0.02]
    assert usages[0].feature_version == "2.0.0"
