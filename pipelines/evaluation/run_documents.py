"""What a scenario shows, as the document of a run."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Literal

from pipelines.documents.evaluation_run import (
    CalibrationBin,
    Counterfactual,
    DetailedMetrics,
    EvaluationRun,
    EvaluationSummary,
    FeatureChange,
    FeatureImportance,
    ImportanceStability,
    MetricComparison,
    Selection,
    ThresholdCheck,
)
from pipelines.documents.measured import measured
from pipelines.evaluation.contenders import Contender
from pipelines.evaluation.counterfactuals import Counterfactual as Flip
from pipelines.evaluation.curves import CLASS_LABELS, Curves
from pipelines.evaluation.evaluation import ScenarioResult
from pipelines.evaluation.explanations import Explanation
from pipelines.evaluation.figures import figures
from pipelines.evaluation.measures import Comparison
from pipelines.evaluation.verdicts import Check, compliance
from pipelines.lifecycle.versions import MODEL_NAME
from pipelines.nights import Night
from pipelines.signals.selection import SelectionEvidence
from pipelines.validation.metrics import SignalMetrics
from pipelines.validation.session_bootstrap import Estimate

MOST_FEATURES = 20
"""Features listed of a scenario; the rest are of little importance by definition."""


def run_document(
    result: ScenarioResult,
    night: Night,
    *,
    selection: SelectionEvidence | None,
    asked_by: Literal["plan", "user"] = "plan",
) -> EvaluationRun:
    """Make the document of what a scenario shows."""
    sessions = result.rows["session"]
    return EvaluationRun(
        scenario_name=result.scenario.name,
        asked_by=asked_by,
        candidate_backtest_id=f"{night.market} {night.session}",
        candidate_model_name=MODEL_NAME,
        candidate_model_version=newest_version([result]),
        status="completed",
        started_at=night.as_of,
        completed_at=night.as_of,
        summary=_summary(result),
        explainability=_importances(result.explanation),
        compliance_checks={one.threshold.metric: _check(one) for one in result.checks},
        market=night.market,
        session=night.session,
        night_id=night.night_id,
        verdict=result.verdict.value,
        model_versions=result.versions,
        rows=result.rows.height,
        sessions=sessions.n_unique(),
        rows_left_out=result.left_out,
        sessions_without_model=result.without_model,
        abstained_rows=result.rows["abstain_reason"].count(),
        first_session=sessions.to_list()[0] if len(sessions) else None,
        last_session=sessions.to_list()[-1] if len(sessions) else None,
        importance_stability=_stability(result.explanation),
        counterfactuals=tuple(map(_counterfactual, result.counterfactuals)),
        selection=_selection(selection),
    )


def newest_version(results: Sequence[ScenarioResult]) -> str | None:
    """Return the newest version that scored in any of the scenarios."""
    versions = [version for one in results for version in one.versions[-1:]]
    return str(max(versions)) if versions else None


def _summary(result: ScenarioResult) -> EvaluationSummary:
    """Return figures and verdict."""
    metrics = result.metrics
    return EvaluationSummary(
        metrics=_comparisons(metrics, result.comparisons) if metrics else (),
        compliance=compliance(result.verdict, result.checks).value,
        notes=result.notes,
        detailed_metrics=_details(result.curves, result.comparisons) if result.curves else None,
    )


def _comparisons(
    metrics: SignalMetrics, found: Sequence[Comparison]
) -> tuple[MetricComparison, ...]:
    """Return every figure of the model, beside the baselines' mean where they have it."""
    compared = {one.metric: one for one in found}
    return tuple(
        _comparison(name, value, compared.get(name))
        for name, value in figures(metrics, found).items()
    )


def _comparison(name: str, value: Estimate, beside: Comparison | None) -> MetricComparison:
    average = beside.average if beside else None
    over = beside.over_average if beside else None
    return MetricComparison(
        metric_name=name,
        candidate=value.value,
        low=value.lower,
        high=value.upper,
        baseline_average=average.value if average else None,
        delta=over.value if over else None,
        delta_low=over.lower if over else None,
        delta_high=over.upper if over else None,
    )


def _details(found: Curves, comparisons: Sequence[Comparison]) -> DetailedMetrics:
    """Return curves and calls."""
    own = {
        one.metric: one.values[Contender.MODEL].value
        for one in comparisons
        if Contender.MODEL in one.values
    }
    return DetailedMetrics(
        confusion_matrix=tuple(map(tuple, found.confusion)),
        class_labels=CLASS_LABELS,
        roc_curve=_curve(found.roc),
        precision_recall_curve=_curve(found.precision_recall),
        calibration_curve=tuple(
            CalibrationBin(
                probability=one.probability,
                share_up=one.share_up,
                low=one.low,
                high=one.high,
                rows=one.rows,
            )
            for one in found.calibration
        ),
        accuracy=own.get("accuracy"),
        precision=own.get("precision"),
        recall=own.get("recall"),
        f1_score=own.get("f1"),
        auc_roc=own.get("auc"),
    )


def _curve(found: Mapping[str, list[float]] | None) -> dict[str, tuple[float, ...]] | None:
    return {name: tuple(values) for name, values in found.items()} if found else None


def _importances(found: Explanation | None) -> tuple[FeatureImportance, ...]:
    """Return the most important features."""
    return tuple(
        FeatureImportance(
            feature_name=one.feature,
            importance=one.share.value,
            low=one.share.lower,
            high=one.share.upper,
            impact_direction=one.direction,
        )
        for one in (found.importances[:MOST_FEATURES] if found else ())
    )


def _stability(found: Explanation | None) -> ImportanceStability | None:
    if found is None:
        return None
    return ImportanceStability(
        rows=found.rows, halves=measured(found.halves), models=measured(found.models)
    )


def _counterfactual(found: Flip) -> Counterfactual:
    changes = tuple(FeatureChange(**asdict(one)) for one in found.changes)
    return Counterfactual(**{**asdict(found), "changes": changes})


def _check(found: Check) -> ThresholdCheck:
    return ThresholdCheck(
        limit=found.threshold.limit,
        higher_is_better=found.threshold.higher_is_better,
        value=measured(found.value),
        compliance=found.compliance.value,
    )


def _selection(found: SelectionEvidence | None) -> Selection | None:
    return Selection(**asdict(found)) if found else None
