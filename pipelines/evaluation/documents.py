"""An evaluation as documents: scenarios, runs, groups, baselines and runs against them."""

from collections.abc import Iterator, Sequence

from pipelines.documents.base import PublishedDocument
from pipelines.documents.evaluation_scenario import (
    EvaluationScenario,
    ScenarioEvent,
    ScenarioMetric,
)
from pipelines.documents.values import midnight_of
from pipelines.evaluation.answers import answer_document
from pipelines.evaluation.baseline_documents import benchmark_document, benchmark_run_document
from pipelines.evaluation.contenders import BASELINES
from pipelines.evaluation.evaluation import ScenarioResult
from pipelines.evaluation.fairness import fairness_document
from pipelines.evaluation.plan import EvaluationPlan
from pipelines.evaluation.requests import Answer
from pipelines.evaluation.run_documents import run_document
from pipelines.nights import Night
from pipelines.signals.selection import SelectionEvidence


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
