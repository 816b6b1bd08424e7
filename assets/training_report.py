"""What training reports of itself in the Dagster UI: figures with intervals, and two pictures."""

import dagster as dg
import polars as pl

from assets.reporting import picture_metadata
from pipelines.lifecycle.markdown import checklist_table
from pipelines.lifecycle.promotion import Decision
from pipelines.signals.model import SignalTraining, TrainedSignal
from pipelines.signals.selection import SelectionEvidence
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
        "young_symbols": dg.MetadataValue.md("\n".join(_young_lines(final))),
        "champion_version": dg.MetadataValue.text(str(registration.champion or "none")),
        "challenger_version": dg.MetadataValue.text(str(registration.challenger or "none")),
        "versions_added": dg.MetadataValue.int(len(registration.added)),
        "calibration_plot": picture_metadata(calibration_plot(training)),
        "auc_by_year_plot": picture_metadata(area_plot(training)),
    }


def decision_metadata(decision: Decision) -> dict[str, dg.MetadataValue]:
    """Return whether the model was promoted, why, and every condition that was asked for."""
    return {
        "verdict": dg.MetadataValue.text(decision.verdict.value),
        "reason": dg.MetadataValue.text(decision.reason),
        "alpha_spent": dg.MetadataValue.float(decision.alpha),
        "checklist": dg.MetadataValue.md(checklist_table(decision.checklist)),
    }


def selection_metadata(evidence: SelectionEvidence) -> dict[str, dg.MetadataValue]:
    """Return how much of the published family's returns may be the luck of having tried many."""
    shown = {
        "deflated_sharpe_ratio": evidence.deflated_sharpe,
        "probability_of_overfitting": evidence.overfitting,
    }
    return {
        "trials_ever": dg.MetadataValue.int(evidence.trials),
        "independent_trials": dg.MetadataValue.float(evidence.independent_trials),
        **{
            name: dg.MetadataValue.text(
                "too few returns to tell" if value is None else f"{value:.3f}"
            )
            for name, value in shown.items()
        },
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


def _young_lines(final: TrainedSignal) -> list[str]:
    """Return how rows without dispensable features did beside all rows, as the lines of a table."""
    records = {"all": final.track_record, "without them": final.incomplete_record}
    lines = [
        f"| {name} | {record.rows} | {record.auc} | {record.calibration_slope} "
        f"| {record.log_loss_gain} |"
        for name, record in records.items()
        if record
    ]
    return [
        f"Rows may lack: {', '.join(final.may_lack) or 'nothing'}. Symbols that do are "
        f"{'scored' if final.knows_incomplete_rows else 'not scored'}.",
        "",
        "| rows | number | AUC | slope | gain in log loss |",
        "| --- | ---: | --- | --- | --- |",
        *lines,
    ]


def _share(predictions: pl.DataFrame, name: str) -> float:
    """Return the share of rows for which a column is true; 0 without rows."""
    return float(predictions[name].sum()) / max(1, predictions.height)
