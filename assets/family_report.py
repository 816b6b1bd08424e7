"""What the records of live regimes and forecasts report of themselves in the Dagster UI."""

from datetime import date, timedelta

import dagster as dg
import polars as pl

from assets.reporting import picture_metadata
from pipelines.lifecycle.markdown import records_table
from pipelines.lifecycle.track_record import (
    ALL_VERSIONS,
    REMEMBERED_DAYS,
    WINDOWS,
)
from resources.lake import Lake

NAMED_BY = ("model_name", "basis", "model_version", "window_sessions")
"""Columns that say what a record is of."""

WEEK_AHEAD = "horizon_5_"
"""Basis of the records of forecasts that are drawn by regime."""


def family_metadata(lake: Lake, session: date) -> dict[str, dg.MetadataValue]:
    """Return a night's records as a table, and coverage over the last year as a picture."""
    from pipelines.lifecycle.plots import by_regime_plot, rolling_coverage_plot

    records = lake.read(
        "SELECT * FROM family_records WHERE session BETWEEN $first AND $last ORDER BY ALL",
        {"first": session - timedelta(days=REMEMBERED_DAYS), "last": session},
    )
    tonight = records.filter(pl.col("session") == session)
    metadata: dict[str, dg.MetadataValue] = {
        "dagster/partition_row_count": dg.MetadataValue.int(tonight.height),
        "record": dg.MetadataValue.md(records_table(tonight, names=NAMED_BY)),
    }
    is_drawn = (pl.col("model_version") == ALL_VERSIONS) & pl.col("note").is_null()
    drawn = records.filter(is_drawn, pl.col("window_sessions") == min(WINDOWS))
    if drawn.height:
        metadata["rolling_coverage_plot"] = picture_metadata(rolling_coverage_plot(drawn))
    week = pl.col("basis").str.starts_with(WEEK_AHEAD) & pl.col("regime").is_not_null()
    if (of_forecasts := records.filter(is_drawn & week)).height:
        title = "Coverage of 90 % by regime, forecasts of a week, live"
        picture = by_regime_plot(of_forecasts, "coverage_90", title=title, level=0.9)
        metadata["coverage_by_regime_plot"] = picture_metadata(picture)
    return metadata
