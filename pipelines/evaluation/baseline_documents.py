"""Baselines as documents, and the model's runs against them."""

from collections.abc import Sequence
from itertools import chain
from typing import Literal

from pipelines.documents.benchmark import (
    Benchmark,
    BenchmarkCase,
    BenchmarkFigure,
    BenchmarkResult,
    BenchmarkRun,
    result_key,
)
from pipelines.documents.measured import measured
from pipelines.evaluation.contenders import BASELINES, Contender
from pipelines.evaluation.evaluation import ScenarioResult
from pipelines.evaluation.measures import Comparison
from pipelines.evaluation.plan import EvaluationPlan
from pipelines.evaluation.run_documents import newest_version
from pipelines.lifecycle.versions import MODEL_NAME
from pipelines.nights import Night

DECIDING = ("auc", "net_return")
"""Figures in which the model has to be above a baseline."""


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
        model_version=newest_version(results),
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


def _beats(result: ScenarioResult, baseline: Contender) -> bool:
    """Return whether the model is above a baseline with whole intervals."""
    differences = {one.metric: one.differences.get(baseline) for one in result.comparisons}
    deciding = [differences[metric] for metric in DECIDING]
    return all(one is not None and one.lower > 0 for one in deciding)


def _figure(found: Comparison, baseline: Contender) -> BenchmarkFigure:
    return BenchmarkFigure(
        model=measured(found.values.get(Contender.MODEL)),
        baseline=measured(found.values.get(baseline)),
        delta=measured(found.differences.get(baseline)),
    )
