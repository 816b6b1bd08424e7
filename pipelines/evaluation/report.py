"""The evaluation report: one page for a person, made of the documents and nothing else."""

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pipelines.documents.benchmark import BenchmarkRun, result_key
from pipelines.documents.evaluation_run import (
    Counterfactual,
    DetailedMetrics,
    EvaluationRun,
    ThresholdCheck,
)
from pipelines.documents.evaluation_scenario import EvaluationScenario, ScenarioEvent
from pipelines.documents.fairness_report import FairnessReport
from pipelines.documents.measured import MeasuredValue
from pipelines.evaluation.plots import (
    areas_plot,
    calibration_plot,
    importance_plot,
    returns_plot,
    roc_plot,
)
from pipelines.pages import rendered

Cells = tuple[str, ...]
Picture = tuple[str, str]
"""What it shows, and the PNG as Base64."""
SHOWN = ("auc", "accuracy", "net_return")
"""Figures in the table of contenders."""


@dataclass(frozen=True)
class EvaluationDocuments:
    """What an evaluation published, in the order of the plan.

    `descriptions` are what users wrote of their scenarios, by name: these stand in MongoDB alone.
    """

    scenarios: Sequence[EvaluationScenario]
    runs: Sequence[EvaluationRun]
    benchmark_runs: Sequence[BenchmarkRun]
    fairness: Sequence[FairnessReport]
    descriptions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Section:
    """What the page shows of a measured scenario."""

    run: EvaluationRun
    description: str
    events: Sequence[ScenarioEvent]
    pictures: list[Picture]
    limits: list[Cells]
    contenders: list[Cells]
    confusion: list[Cells]
    flips: list[Cells]
    fairness: FairnessReport | None
    groups: list[Cells]

    @property
    def agreement(self) -> tuple[str, str]:
        """Return how alike importances of halves and of models are, in words."""
        stable = self.run.importance_stability
        halves, models = (stable.halves, stable.models) if stable else (None, None)
        return _interval(halves), _interval(models)


def report_page(found: EvaluationDocuments) -> str:
    """Return the report as one HTML page that needs no other file."""
    of_plan, of_users = (
        [one for one in found.runs if one.asked_by == asker] for asker in ("plan", "user")
    )
    measured = [one for one in of_plan if one.summary.detailed_metrics]
    return rendered(
        "evaluation/report.html",
        newest=(of_plan or of_users)[0],
        verdicts=[_verdict(one) for one in of_plan],
        areas=_encoded(areas_plot(measured)) if measured else "",
        sections=[_section(one, found) for one in measured],
        unmeasured=[one for one in of_plan if one not in measured],
        asked=[_verdict(one) for one in of_users],
        asked_sections=[_section(one, found) for one in of_users if one.summary.detailed_metrics],
        asked_in_vain=[one for one in of_users if not one.summary.detailed_metrics],
    )


def _verdict(run: EvaluationRun) -> Cells:
    """Return a scenario's row of the table of verdicts."""
    figures = {
        one.metric_name: _words(one.candidate, one.low, one.high) for one in run.summary.metrics
    }
    return (
        run.scenario_name,
        run.verdict.replace("_", " "),
        run.summary.compliance,
        f"{run.rows:,}",
        f"{run.sessions:,}",
        figures.get("auc", "-"),
        figures.get("net_return", "-"),
    )


def _section(run: EvaluationRun, found: EvaluationDocuments) -> Section:
    """Return what the page shows of a scenario."""
    scenario = {one.name: one for one in found.scenarios}.get(run.scenario_name)
    told = scenario.description if scenario else found.descriptions.get(run.scenario_name, "")
    fairness = {one.scenario_name: one for one in found.fairness}.get(run.scenario_name)
    key = result_key(run.scenario_name)
    against = [one for one in found.benchmark_runs if key in one.results]
    details = run.summary.detailed_metrics
    return Section(
        run,
        description=told,
        events=scenario.stress_events if scenario else (),
        pictures=list(_pictures(run, against)),
        limits=[_limit(name, one) for name, one in run.compliance_checks.items()],
        contenders=list(_contenders(against, key)) if against else [],
        confusion=_confusion(details) if details else [],
        flips=[_flip(one) for one in run.counterfactuals],
        fairness=fairness,
        groups=list(_groups(fairness)) if fairness else [],
    )


def _pictures(run: EvaluationRun, benchmarks: Sequence[BenchmarkRun]) -> Iterator[Picture]:
    """Yield the pictures of a scenario."""
    if benchmarks:
        yield "returns of all contenders", _encoded(returns_plot(benchmarks, run.scenario_name))
    details = run.summary.detailed_metrics
    if details and details.roc_curve:
        yield "ROC curve", _encoded(roc_plot(details.roc_curve))
    if details and details.calibration_curve:
        yield "calibration curve", _encoded(calibration_plot(details.calibration_curve))
    if run.explainability:
        yield "importance of features", _encoded(importance_plot(run.explainability))


def _limit(name: str, found: ThresholdCheck) -> Cells:
    sign = "above" if found.higher_is_better else "below"
    return name, f"{sign} {found.limit:g}", _interval(found.value), found.compliance


def _contenders(runs: Sequence[BenchmarkRun], key: str) -> Iterator[Cells]:
    """Yield a row for the model and one for each baseline; `key` is the scenario's in `results`."""
    figures = {one.benchmark_name: one.results[key].figures for one in runs}
    first = next(iter(figures.values()))
    yield "model", *(_interval(first[one].model) for one in SHOWN), ""
    for name, found in figures.items():
        own = [_interval(found[one].baseline) for one in SHOWN]
        yield name, *own, _interval(found["net_return"].delta)


def _confusion(details: DetailedMetrics) -> list[Cells]:
    """Return the confusion matrix, a row for each outcome."""
    return [
        (f"came {label}", *(f"{one:,}" for one in row))
        for label, row in zip(details.class_labels, details.confusion_matrix, strict=True)
    ]


def _flip(found: Counterfactual) -> Cells:
    """Return a signal's row of what would have flipped it."""
    changes = "; ".join(
        f"{one.feature} {one.value:.3g} → {one.changed_to:.3g} (percentile "
        f"{100 * one.percentile:.0f} → {100 * one.changed_percentile:.0f})"
        for one in found.changes
    )
    after = found.changed_probability
    return (
        f"{found.symbol} {found.session}",
        f"{found.recommendation} {found.probability:.3f}",
        "-" if after is None else f"{after:.3f}",
        changes or "no change of three features within their training range",
    )


def _groups(report: FairnessReport) -> Iterator[Cells]:
    """Yield a row for each group."""
    for name, found in report.group_metrics.items():
        yield (
            name,
            f"{found['rows']:,.0f}",
            *(_group_figure(found, one) for one in ("accuracy", "auc", "gap")),
        )


def _group_figure(found: dict[str, float], name: str) -> str:
    if name not in found:
        return "-"
    return _words(found[name], found[f"{name}_low"], found[f"{name}_high"])


def _interval(found: MeasuredValue | None) -> str:
    return _words(found.estimate, found.low, found.high) if found else "-"


def _words(value: float, low: float, high: float) -> str:
    """Return a figure with its interval, which no line break parts."""
    return f"{value:.3f} [{low:.3f},\N{NO-BREAK SPACE}{high:.3f}]"


def _encoded(png: bytes) -> str:
    return b64encode(png).decode()
