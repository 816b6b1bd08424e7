"""What training reports of itself in the Dagster UI: figures with intervals, and two pictures."""

import base64

import dagster as dg

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
        "metrics": dg.MetadataValue.md("\n".join([*head, *lines])),
        "champion_version": dg.MetadataValue.int(registration.champion),
        "versions_added": dg.MetadataValue.int(len(registration.added)),
        "calibration": dg.MetadataValue.md(_picture(calibration_plot(training))),
        "auc_by_year": dg.MetadataValue.md(_picture(area_plot(training))),
    }


def _picture(png: bytes) -> str:
    """Return a picture as Markdown that the UI shows in place."""
    return f"![plot](data:image/png;base64,{base64.b64encode(png).decode()})"
