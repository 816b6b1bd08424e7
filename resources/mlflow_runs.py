"""The run of a training in MLflow: its settings, figures and plots, written and read back."""

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pipelines.lifecycle.run_documents import TrainingRun
from pipelines.signals.model import SignalTraining, TrainedSignal

PLOTS = "plots"
OWN_TAGS = ("market", "features_version", "night_id", "code_version")


def training_run(client: Any, run_id: str) -> TrainingRun:
    """Return a run with its settings, figures and plots."""
    run = client.get_run(run_id)
    ended = run.info.end_time
    return TrainingRun(
        run_id=run_id,
        status=str(run.info.status),
        started_at=_instant(run.info.start_time),
        completed_at=_instant(ended) if ended else None,
        parameters=dict(run.data.params),
        metrics=dict(run.data.metrics),
        tags={name: run.data.tags[name] for name in OWN_TAGS if name in run.data.tags},
        artifacts={
            file.path: f"{run.info.artifact_uri}/{file.path}"
            for file in client.list_artifacts(run_id, PLOTS)
        },
    )


def _instant(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def parameters(model: TrainedSignal) -> dict[str, Any]:
    """Return the settings of a training as MLflow shows them, lengths of slices by name."""
    settings = model.settings.to_document()
    splits = {f"splits.{name}": value for name, value in settings.pop("splits").items()}
    return {**settings, **splits, "features": ", ".join(model.features)}


def log_metrics(training: SignalTraining) -> None:
    """Log every figure with its interval, and the AUC of each test block as a step."""
    import mlflow

    figures = training.metrics.estimates() if training.metrics else {}
    for name, estimate in figures.items():
        bounds = {"": estimate.value, "_lower": estimate.lower, "_upper": estimate.upper}
        mlflow.log_metrics({f"{name}{suffix}": value for suffix, value in bounds.items()})
    for block, metrics in enumerate(training.block_metrics):
        if metrics is not None and metrics.auc is not None:
            mlflow.log_metric("block_auc", metrics.auc.value, step=block)


def log_plots(client: Any, training: SignalTraining, *, run_id: str) -> None:
    """Log the pictures of a training with its run."""
    from pipelines.signals.plots import area_plot, calibration_plot

    with TemporaryDirectory() as folder:
        for name, plot in (("calibration", calibration_plot), ("auc_by_block", area_plot)):
            picture = Path(folder) / f"{name}.png"
            picture.write_bytes(plot(training))
            client.log_artifact(run_id, str(picture), "plots")
