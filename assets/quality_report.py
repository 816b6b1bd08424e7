"""What the quality stage reports of itself in the Dagster UI."""

import dagster as dg
import polars as pl

from assets.reporting import count_by
from pipelines.anomalies.severity import FOUND, rank_expression
from pipelines.documents.quality_summary import DataQualitySummary
from resources.anomaly_calls import CallReport

SHOWN_SYMBOLS = 20


def sightings_metadata(rows: pl.DataFrame, *, newly_withheld: int) -> dict[str, dg.MetadataValue]:
    """Return what a night saw first, by severity, type and symbol."""
    return {
        "seen_first": dg.MetadataValue.int(rows.height),
        "newly_withheld": dg.MetadataValue.int(newly_withheld),
        "by_severity": count_by(rows, "severity"),
        "by_type": count_by(rows, "anomaly_type"),
        "by_symbol": dg.MetadataValue.md(_symbols_table(rows)),
    }


def summary_metadata(summary: DataQualitySummary) -> dict[str, dg.MetadataValue]:
    """Return the figures that a night's summary leads with."""
    score = summary.quality_score
    return {
        "quality_score": dg.MetadataValue.text("no bar" if score is None else f"{score:.4f}"),
        "bars": dg.MetadataValue.int(summary.bars),
        "bars_withheld": dg.MetadataValue.int(summary.bars_withheld),
        "bars_suspect": dg.MetadataValue.int(summary.bars_suspect),
        "open_reviews": dg.MetadataValue.int(summary.open_reviews),
    }


def calls_metadata(report: CallReport) -> dict[str, dg.MetadataValue]:
    """Return what the webhook has taken, and a warning where something waits."""
    return {
        "events_told": dg.MetadataValue.int(report.delivered),
        "calls": dg.MetadataValue.int(report.calls),
        "events_waiting": dg.MetadataValue.int(report.waiting),
        "warning": dg.MetadataValue.text(report.fault or "none"),
    }


def _symbols_table(rows: pl.DataFrame) -> str:
    """Return the symbols with the gravest and the most anomalies as a table, by severity."""
    counted = (
        rows.group_by("symbol")
        .agg(
            *((pl.col("severity") == name).sum().alias(name) for name in FOUND),
            rank_expression("severity").max().alias("worst"),
            pl.len().alias("all"),
        )
        .sort(["worst", "all", "symbol"], descending=[True, True, False])
        .head(SHOWN_SYMBOLS)
    )
    lines = [
        f"| {row['symbol']} | " + " | ".join(str(row[name]) for name in FOUND) + " |"
        for row in counted.iter_rows(named=True)
    ]
    head = ["| symbol | " + " | ".join(FOUND) + " |", "| --- |" + " ---: |" * len(FOUND)]
    return "\n".join([*head, *lines]) if lines else "none"
