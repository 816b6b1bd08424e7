"""Pictures of an evaluation, made of its documents."""

from collections.abc import Mapping, Sequence

from pipelines.documents.benchmark import BenchmarkRun, result_key
from pipelines.documents.evaluation_run import CalibrationBin, EvaluationRun, FeatureImportance
from pipelines.documents.measured import MeasuredValue
from pipelines.pictures import new_figure, png_of

SHOWN_FEATURES = 10

Intervals = Mapping[str, MeasuredValue]


def areas_plot(runs: Sequence[EvaluationRun]) -> bytes:
    """Return the AUC of each measured scenario with its 95 % interval."""
    areas = {
        run.scenario_name: MeasuredValue(estimate=one.candidate, low=one.low, high=one.high)
        for run in runs
        for one in run.summary.metrics
        if one.metric_name == "auc"
    }
    return _intervals("AUC, 95 % by sessions", "AUC (0.5 is a coin)", areas, 0.5)


def returns_plot(runs: Sequence[BenchmarkRun], scenario: str) -> bytes:
    """Return what the model and each baseline would have earned a year in a scenario."""
    key = result_key(scenario)
    figures = {
        one.benchmark_name: one.results[key].figures["net_return"]
        for one in runs
        if "net_return" in one.results[key].figures
    }
    shown = {name: one.baseline for name, one in figures.items() if one.baseline}
    first = next(iter(figures.values()), None)
    if first and first.model:
        shown = {"model": first.model, **shown}
    return _intervals("Return after costs", "a year, 95 % by sessions", shown, 0.0)


def roc_plot(curve: Mapping[str, Sequence[float]]) -> bytes:
    """Return the ROC curve of a scenario."""
    figure, axes = new_figure("ROC", "falls called a rise", "rises called a rise")
    axes.plot(curve["fpr"], curve["tpr"])
    axes.plot([0, 1], [0, 1], "--k", lw=1)
    return png_of(figure)


def calibration_plot(bins: Sequence[CalibrationBin]) -> bytes:
    """Return the share that rose against the probability, with 95 % intervals by session."""
    figure, axes = new_figure("Calibration", "probability", "share that rose")
    said = [one.probability for one in bins]
    came = [one.share_up for one in bins]
    below = [one.share_up - one.low for one in bins]
    above = [one.high - one.share_up for one in bins]
    axes.errorbar(said, came, yerr=[below, above], fmt="o", ms=4)
    axes.plot([min(said), max(said)], [min(said), max(said)], "--k", lw=1)
    return png_of(figure)


def importance_plot(features: Sequence[FeatureImportance]) -> bytes:
    """Return the share of SHAP values of the most important features."""
    shown = {
        f"{one.feature_name} ({one.impact_direction or '-'})": MeasuredValue(
            estimate=one.importance, low=one.low, high=one.high
        )
        for one in features[:SHOWN_FEATURES]
    }
    return _intervals("What moved the opinions", "share of absolute SHAP values", shown, 0.0)


def _intervals(title: str, label: str, values: Intervals, reference: float) -> bytes:
    """Return a row for each value with its interval, the first on top."""
    figure, axes = new_figure(title, label, "")
    places = range(len(values), 0, -1)
    for place, one in zip(places, values.values(), strict=True):
        axes.plot([one.low, one.high], [place, place], color="C0")
        axes.plot(one.estimate, place, "o", color="C0", ms=4)
    axes.set_yticks(list(places), list(values), fontsize="small")
    axes.axvline(reference, color="black", lw=1, ls="--")
    return png_of(figure)
