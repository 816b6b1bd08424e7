"""What the detectors report of themselves in the Dagster UI."""

import json

import dagster as dg
import polars as pl

from assets.reporting import picture_metadata
from pipelines.anomalies.scoring_report import ScoringReport
from resources.bar_scoring import DetectorState


def scoring_metadata(
    report: ScoringReport, state: DetectorState, alerts: pl.DataFrame
) -> dict[str, dg.MetadataValue]:
    """Return what was judged, by which fit, and which bars a person is shown.

    Args:
        report: What the run did.
        state: The newest fits.
        alerts: Alerts of the run's sessions, in words.
    """
    from pipelines.anomalies.score_plots import p_value_plot

    plot = {}
    if report.with_p_value:  # a night that is run again judges nothing
        plot["p_value_plot"] = picture_metadata(p_value_plot(report.p_value_counts))
    return {
        "bars_judged": dg.MetadataValue.int(report.bars),
        "with_p_value": dg.MetadataValue.int(report.with_p_value),
        "alerts_among_them": dg.MetadataValue.int(report.alerts),
        "alerts_tonight": dg.MetadataValue.int(alerts.height),
        "alerts": dg.MetadataValue.md(_alerts_table(alerts)),
        "suspects_forecast": dg.MetadataValue.int(report.forecasts),
        "suspects_left_out": dg.MetadataValue.int(report.suspects_left_out),
        "fit": dg.MetadataValue.md(_fit_text(state.panel)),
        "learnt_from_verdicts": dg.MetadataValue.text(_reviewed_text(state)),
        **plot,
    }


def _alerts_table(alerts: pl.DataFrame) -> str:
    """Return alerts as a table."""
    if alerts.is_empty():
        return "none"
    lines = [f"| {row[0]} | {row[1]} | {row[2]} |" for row in alerts.iter_rows()]
    return "\n".join(["| symbol | session | what is unusual |", "| --- | --- | --- |", *lines])


def _fit_text(panel: pl.DataFrame) -> str:
    """Return what the newest fit of the panel was made of."""
    if panel.is_empty():
        return "none yet: half a year of sessions and 500 bars on each side are needed"
    fit = panel.row(0, named=True)
    return (
        f"for sessions from {fit['applies_from']}: {fit['fit_rows']:,} bars through "
        f"{fit['fitted_through']}, calibrated by {fit['calibration_rows']:,} through "
        f"{fit['calibrated_through']}; the least p-value is 1 in {fit['calibration_rows'] + 1:,}"
    )


def _reviewed_text(state: DetectorState) -> str:
    """Return whether a detector learnt from verdicts takes part, and how it does."""
    if state.reviewed.is_empty():
        return f"takes no part: at least {state.missing_verdicts} more verdicts are needed"
    fit = state.reviewed.row(0, named=True)
    area = json.loads(fit["settings"])["area"]
    figure = "could not be measured" if area is None else f"is {area:.2f}"
    part = "takes part" if state.is_reviewed_heard else "takes no part, for it tells too little"
    return (
        f"{part}: learnt from {fit['fit_rows']} verdicts; the area under its ROC curve, on symbols "
        f"left out, {figure}"
    )
