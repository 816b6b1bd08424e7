"""An evaluation as documents: scenarios, runs, groups, baselines and runs against them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import chain
from typing import Literal

from pipelines.documents.base import PublishedDocument
from pipelines.documents.benchmark import (
    Benchmark,
    BenchmarkCase,
    BenchmarkFigure,
    BenchmarkResult,
    BenchmarkRun,
    result_key,
)
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
from pipelines.documents.evaluation_scenario import (
    EvaluationScenario,
    ScenarioEvent,
    ScenarioMetric,
)
from pipelines.documents.measured import MeasuredValue
from pipelines.documents.values import midnight_of
from pipelines.evaluation.contenders import BASELINES, Contender
from pipelines.evaluation.counterfactuals import Counterfactual as Flip
from pipelines.evaluation.curves import CLASS_LABELS, Curves
from pipelines.evaluation.evaluation import ScenarioResult
from pipelines.evaluation.explanations import Explanation
from pipelines.evaluation.fairness import fairness_document
from pipelines.evaluation.figures import figures
from pipelines.evaluation.measures import Comparison
from pipelines.evaluation.plan import EvaluationPlan
from pipelines.evaluation.requests import Answer
from pipelines.evaluation.verdicts import Check, compliance
from pipelines.lifecycle.versions import MODEL_NAME
from pipelines.nights import Night
from pipelines.signals.selection import SelectionEvidence
from pipelines.validation.metrics import SignalMetrics
from pipelines.validation.session_bootstrap import Estimate

MOST_FEATURES = 20
"""Features listed of a scenario; the rest are of little importance by definition."""
ANSWERED = ("status", "summary", "explainability", "compliance_checks")
TOLD_OF_AN_ANSWER = (
    *("market", "session", "night_id", "verdict", "model_versions", "rows", "sessions"),
    *("first_session", "last_session"),
)
"""Fields of a run of ours that a user's run is given: under their names, and under `evaluation`."""
DECIDING = ("auc", "net_return")
"""Figures in which the model has to be above a baseline."""


def evaluation_documents(
    plan: EvaluationPlan,
    results: Sequence[ScenarioResult],
    night: Night,
    *,
    selection: SelectionEvidence | None = None,
    of_users: Sequence[Answer] = (),
) -> Iterator[PublishedDocument]:
    """Make the documents of an evaluation.

    Args:
        plan: What was asked.
        results: What each of its scenarios shows.
        night: The night that they are seen from.
        selection: What the published recipe is worth, given every trial.
        of_users: What scenarios of users show.
    """
    asked = [one.result for one in of_users if one.result and one.result.comparisons]
    for result in results:
        yield scenario_document(plan, result, night)
        yield run_document(result, night, selection=selection)
        if fair := fairness_document(result, night, largest_gap=plan.fairness.largest_gap):
            yield fair
    for baseline in BASELINES:
        yield benchmark_document(plan, baseline)
        yield benchmark_run_document(results, baseline, night, of_users=asked)
    for answer in of_users:
        yield answer_document(answer, night, selection=selection)


def scenario_document(
    plan: EvaluationPlan, result: ScenarioResult, night: Night
) -> EvaluationScenario:
    """Make the document of a scenario."""
    scenario = result.scenario
    return EvaluationScenario(
        name=scenario.name,
        description=scenario.description,
        symbols=result.symbols,
        start_date=midnight_of(scenario.start) if scenario.start else None,
        end_date=midnight_of(scenario.end) if scenario.end else None,
        baseline_backtest_ids=(),
        benchmark_metrics=tuple(
            ScenarioMetric(
                name=one.metric, threshold=one.limit, higher_is_better=one.higher_is_better
            )
            for one in plan.thresholds
        ),
        stress_events=tuple(
            ScenarioEvent(
                label=event.label, start=midnight_of(event.start), end=midnight_of(event.end)
            )
            for event in scenario.events
        ),
        market=night.market,
    )


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
        candidate_model_version=_newest([result]),
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


def benchmark_document(plan: EvaluationPlan, baseline: Contender) -> Benchmark:
    """Make the document of a baseline."""
    return Benchmark(
        name=baseline.value,
        description=BASELINES[baseline],
        test_cases=tuple(
            BenchmarkCase(scenario=one.name, start=one.start, end=one.end) for one in plan.scenarios
        ),
    )


def benchmark_run_document(
    results: Sequence[ScenarioResult],
    baseline: Contender,
    night: Night,
    *,
    of_users: Sequence[ScenarioResult] = (),
) -> BenchmarkRun:
    """Make the document of the model against a baseline.

    Args:
        results: What the plan's scenarios show: they alone say whether the baseline is beaten.
        baseline: The baseline.
        night: The night that it is seen from.
        of_users: What users' scenarios show.
    """
    measured = [one for one in results if one.metrics]
    judged_by = max(measured, key=lambda one: one.rows.height, default=None)
    return BenchmarkRun(
        benchmark_name=baseline.value,
        model_id=MODEL_NAME,
        model_version=_newest(results),
        results=dict(
            chain(
                (_benchmark_result(one, baseline, "plan") for one in results),
                (_benchmark_result(one, baseline, "user") for one in of_users),
            )
        ),
        passed=judged_by is not None and _beats(judged_by, baseline),
        started_at=night.as_of,
        completed_at=night.as_of,
        market=night.market,
        session=night.session,
        night_id=night.night_id,
        judged_by=judged_by.scenario.name if judged_by else None,
    )


def _benchmark_result(
    found: ScenarioResult, baseline: Contender, asked_by: Literal["plan", "user"]
) -> tuple[str, BenchmarkResult]:
    """Return model and baseline in a scenario, with its key."""
    return result_key(found.scenario.name), BenchmarkResult(
        scenario=found.scenario.name,
        asked_by=asked_by,
        rows=found.rows.height,
        sessions=found.rows["session"].n_unique(),
        figures={one.metric: _figure(one, baseline) for one in found.comparisons},
    )


def _newest(results: Sequence[ScenarioResult]) -> str | None:
    """Return the newest version that scored in any of the scenarios."""
    versions = [version for one in results for version in one.versions[-1:]]
    return str(max(versions)) if versions else None


def _beats(result: ScenarioResult, baseline: Contender) -> bool:
    """Return whether the model is above a baseline with whole intervals."""
    differences = {one.metric: one.differences.get(baseline) for one in result.comparisons}
    deciding = [differences[metric] for metric in DECIDING]
    return all(one is not None and one.lower > 0 for one in deciding)


def _figure(found: Comparison, baseline: Contender) -> BenchmarkFigure:
    return BenchmarkFigure(
        model=_measured(found.values.get(Contender.MODEL)),
        baseline=_measured(found.values.get(baseline)),
        delta=_measured(found.differences.get(baseline)),
    )


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
        rows=found.rows, halves=_measured(found.halves), models=_measured(found.models)
    )


def _counterfactual(found: Flip) -> Counterfactual:
    changes = tuple(FeatureChange(**asdict(one)) for one in found.changes)
    return Counterfactual(**{**asdict(found), "changes": changes})


def _check(found: Check) -> ThresholdCheck:
    return ThresholdCheck(
        limit=found.threshold.limit,
        higher_is_better=found.threshold.higher_is_better,
        value=_measured(found.value),
        compliance=found.compliance.value,
    )


def _selection(found: SelectionEvidence | None) -> Selection | None:
    return Selection(**asdict(found)) if found else None


def _measured(found: Estimate | None) -> MeasuredValue | None:
    """Return a figure with its interval as a document shows it."""
    if found is None:
        return None
    return MeasuredValue(estimate=found.value, low=found.lower, high=found.upper)
