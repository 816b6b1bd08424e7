"""What drift reports of itself in the Dagster UI: the decision, a table and a picture."""

import dagster as dg
import polars as pl

from assets.reporting import picture_metadata
from resources.model_drift import DriftReport

SHOWN = 10


def drift_metadata(report: DriftReport) -> dict[str, dg.MetadataValue]:
    """Return what drifts most, and whether the night asks for a training."""
    from pipelines.lifecycle.plots import drift_plot

    decision = report.decision
    metadata: dict[str, dg.MetadataValue] = {
        "watched": dg.MetadataValue.int(report.rows.height),
        "drifting": dg.MetadataValue.int(decision["drifting"]),
        "weighted_psi": dg.MetadataValue.float(decision["weighted_psi"]),
        "asks_for_training": dg.MetadataValue.bool(decision["trains"]),
        "reason": dg.MetadataValue.text(decision["reason"]),
        "gravest": dg.MetadataValue.md(_table(report.rows)),
    }
    if report.rows.height:
        metadata["drift_plot"] = picture_metadata(drift_plot(report.rows))
    return metadata


def _table(rows: pl.DataFrame) -> str:
    """Return the quantities that drift most as a table."""
    lines = [
        f"| {row['metric']} | {row['metric_value']:.3f} | {_number(row['ks'], '.3f')} "
        f"| {_number(row['p_value'], '.1e')} | {_number(row['importance'], '.3f')} "
        f"| {row['severity'] if row['is_significant'] else 'no drift'} |"
        for row in rows.sort("is_significant", "metric_value", descending=True, nulls_last=True)
        .head(SHOWN)
        .iter_rows(named=True)
    ]
    head = [
        "| quantity | PSI | KS | p | importance | severity |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
    ]
    return "\n".join([*head, *lines]) if lines else "nothing to watch"


def _number(value: float | None, digits: str) -> str:
    """Return a figure, or a dash where there is none."""
    return "–" if value is None else format(value, digits)
