"""What the live record reports of itself in the Dagster UI: figures, and three pictures."""

from datetime import date, timedelta

import dagster as dg
import polars as pl

from assets.reporting import count_by, picture_metadata
from pipelines.lifecycle.markdown import records_table
from pipelines.lifecycle.track_record import (
    ALL_VERSIONS,
    REMEMBERED_DAYS,
    WINDOWS,
    Basis,
)
from resources.lake import Lake

NAMED_BY = ("basis", "model_version", "window_sessions")
"""Columns that say what a record is of."""

QUARTER = min(WINDOWS)


def outcome_metadata(outcomes: pl.DataFrame) -> dict[str, dg.MetadataValue]:
    """Return how many outcomes of the last year are known, and what they show."""
    from pipelines.lifecycle.plots import earnings_plot, live_calibration_plot

    metadata: dict[str, dg.MetadataValue] = {
        "outcomes_of_a_year": dg.MetadataValue.int(outcomes.height),
        "sessions_with_outcomes": dg.MetadataValue.int(outcomes["session"].n_unique()),
        "abstained": count_by(outcomes, "abstain_reason"),
    }
    if not outcomes.is_empty():
        rose = outcomes.group_by("recommendation").agg(pl.col("is_up").mean(), pl.len())
        lines = [
            f"| {name} | {rows:,} | {share:.3f} |" for name, share, rows in sorted(rose.iter_rows())
        ]
        head = ["| published | signals | share that rose |", "| --- | ---: | ---: |"]
        metadata["share_that_rose"] = dg.MetadataValue.md("\n".join([*head, *lines]))
    opinions = outcomes.filter(pl.col("abstain_reason").is_null())
    if not opinions.is_empty():
        metadata["calibration_plot"] = picture_metadata(live_calibration_plot(opinions))
    if outcomes["raw_probability"].count():
        metadata["earnings_plot"] = picture_metadata(earnings_plot(outcomes))
    return metadata


def record_metadata(lake: Lake, session: date) -> dict[str, dg.MetadataValue]:
    """Return a night's record as a table, and how it moved over the last year as a picture."""
    from pipelines.lifecycle.plots import by_regime_plot, rolling_area_plot

    records = lake.read(
        "SELECT * FROM track_records WHERE session BETWEEN $first AND $last ORDER BY ALL",
        {"first": session - timedelta(days=REMEMBERED_DAYS), "last": session},
    )
    tonight = records.filter(pl.col("session") == session)
    metadata: dict[str, dg.MetadataValue] = {
        "dagster/partition_row_count": dg.MetadataValue.int(tonight.height),
        "record": dg.MetadataValue.md(records_table(tonight, names=NAMED_BY)),
    }
    is_all = pl.col("model_version") == ALL_VERSIONS
    if records.filter(is_all & pl.col("note").is_null()).height:
        picture = rolling_area_plot(records, window=QUARTER)
        metadata["rolling_auc_plot"] = picture_metadata(picture)
    is_drawn = pl.col("basis") == pl.format("{}_in_{}", pl.lit(Basis.MODEL.value), "regime")
    drawn = records.filter(is_all & is_drawn & pl.col("note").is_null())
    if drawn.height:
        picture = by_regime_plot(drawn, "auc", title="AUC of a year by regime, live", level=0.5)
        metadata["auc_by_regime_plot"] = picture_metadata(picture)
    return metadata
