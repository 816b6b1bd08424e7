"""What training reports of itself in the Dagster UI: figures with intervals, and two pictures."""

import base64

import dagster as dg
import polars as pl

from pipelines.signals.model import SignalTraining
from resources.model_registry import Registration


def training_metadata(
    training: SignalTraining, registration: Registration
) -> dict[str, dg.MetadataValue]:
    """Return what a training found, whether it was news, and how honest it is out of sample."""
    from pipelines.signals.plots import area_plot, calibration_plot

    final = training.final
    figures = training.metrics.estimates() if training.metrics else {}
    lines = [
        f"| {name} | {figure.value:.4f} | {figure.lower:.4f} | {figure.upper:.4f} |"
        for name, figure in figures.items()
    ]
    head = ["| out of sample | estimate | 95 % from | to |", "| --- | ---: | ---: | ---: |"]
    return {
        "trained_through": dg.MetadataValue.text(str(final.trained_through)),
        "rows": dg.MetadataValue.int(final.n_rows),
        "has_skill": dg.MetadataValue.bool(final.has_skill),
        "trials": dg.MetadataValue.md("\n".join(_trial_lines(training))),
        "out_of_range_share": dg.MetadataValue.float(
            _share(training.predictions, "is_out_of_range")
        ),
        "metrics": dg.MetadataValue.md("\n".join([*head, *lines])),
        "champion_version": dg.MetadataValue.int(registration.champion),
        "versions_added": dg.MetadataValue.int(len(registration.added)),
        "calibration_plot": dg.MetadataValue.md(_picture(calibration_plot(training))),
        "auc_by_year_plot": dg.MetadataValue.md(_picture(area_plot(training))),
    }


def _trial_lines(training: SignalTraining) -> list[str]:
    """Return how each family did out of sample as the lines of a table."""
    head = ["| family | AUC | log loss | net return a year |", "| --- | --- | --- | --- |"]
    return head + [
        f"| {trial.family.value} | {trial.metrics.auc} | {trial.metrics.log_loss} "
        f"| {trial.metrics.net_return} |"
        for trial in training.trials
        if trial.metrics
    ]


def _share(predictions: pl.DataFrame, name: str) -> float:
    """Return the share of rows for which a column is true; 0 without rows."""
    return float(predictions[name].sum()) / max(1, predictions.height)


def _picture(png: bytes) -> str:
    """Return a picture as Markdown that the UI shows in place."""
    return f"![plot](data:image/png;base64,{base64.b64encode(png).decode()})"
