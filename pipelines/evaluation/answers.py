"""Answers to users: the document of what they asked for, and the fields of their waiting runs."""

from collections.abc import Mapping
from datetime import UTC, datetime

from pipelines.documents.evaluation_run import EvaluationRun, EvaluationSummary
from pipelines.evaluation.requests import Answer
from pipelines.evaluation.run_documents import run_document
from pipelines.lifecycle.versions import MODEL_NAME
from pipelines.nights import Night
from pipelines.signals.selection import SelectionEvidence

ANSWERED = ("status", "summary", "explainability", "compliance_checks")
TOLD_OF_AN_ANSWER = (
    *("market", "session", "night_id", "verdict", "model_versions", "rows", "sessions"),
    *("first_session", "last_session"),
)
"""Fields of a run of ours that a user's run is given: under their names, and under `evaluation`."""


def answer_document(
    answer: Answer, night: Night, *, selection: SelectionEvidence | None
) -> EvaluationRun:
    """Make the document of what a user's request shows, or of the reason why it shows nothing."""
    if answer.result:
        return run_document(answer.result, night, selection=selection, asked_by="user")
    return EvaluationRun(
        scenario_name=answer.scenario_name,
        asked_by="user",
        candidate_backtest_id=f"{night.market} {night.session}",
        candidate_model_name=MODEL_NAME,
        candidate_model_version=None,
        status="failed",
        started_at=night.as_of,
        completed_at=night.as_of,
        summary=EvaluationSummary(
            metrics=(),
            compliance="failed",
            notes=f"it can't be replayed: {answer.reason}",
            detailed_metrics=None,
        ),
        explainability=(),
        compliance_checks={},
        market=night.market,
        session=night.session,
        night_id=night.night_id,
        verdict="not_measured",
        model_versions=(),
        rows=0,
        sessions=0,
        rows_left_out=0,
        sessions_without_model=0,
        abstained_rows=0,
        first_session=None,
        last_session=None,
        importance_stability=None,
        counterfactuals=(),
        selection=None,
    )


def answer_fields(document: EvaluationRun, request: Mapping[str, object]) -> dict[str, object]:
    """Return the fields that are written into a user's waiting run; what the user wrote stays.

    Args:
        document: What the run shows.
        request: The run as the user wrote it.
    """
    stored = document.to_mongo()
    started = request.get("started_at")
    asked_at = started if isinstance(started, datetime) else document.started_at
    first = {"started_at": asked_at, "candidate_model_version": stored["candidate_model_version"]}
    return {
        **{name: value for name, value in first.items() if request.get(name) is None},
        **{name: stored[name] for name in ANSWERED},
        "completed_at": max(_in_utc(asked_at), document.completed_at),
        "evaluation": {name: stored[name] for name in TOLD_OF_AN_ANSWER},
    }


def _in_utc(instant: datetime) -> datetime:
    """Return an instant with its time zone; without one it is UTC."""
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
