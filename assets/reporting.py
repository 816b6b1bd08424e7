"""What assets report of themselves in the Dagster UI."""

import base64
from collections.abc import Mapping
from datetime import date

import dagster as dg
import polars as pl

from pipelines.derivations import TableUpdate
from pipelines.nights import Night
from pipelines.table import Table
from pipelines.vendor.agenda import Agenda
from pipelines.vendor.knowledge import Rejections
from resources.lake import Lake
from resources.publishing_report import PricePublishingReport, PublishingReport


def table_metadata(table: Table) -> dict[str, dg.MetadataValue]:
    """Return what the definition of a table's asset tells: its columns, with their meaning."""
    columns = [
        dg.TableColumn(
            column.name,
            column.type,
            column.description,
            constraints=dg.TableColumnConstraints(nullable=column.nullable),
        )
        for column in table.columns
    ]
    return {
        "dagster/column_schema": dg.MetadataValue.table_schema(dg.TableSchema(columns=columns)),
        "dagster/table_name": dg.MetadataValue.text(f"lake.{table.name}"),
    }


def update_metadata(lake: Lake, update: TableUpdate) -> dict[str, dg.MetadataValue]:
    """Return what bringing a table up to date did, and what the table holds now."""
    return {
        "inserted": dg.MetadataValue.int(update.inserted),
        "updated": dg.MetadataValue.int(update.updated),
        "deleted": dg.MetadataValue.int(update.deleted),
        "symbols_touched": dg.MetadataValue.int(update.symbols),
        **held_metadata(lake, update.table),
    }


def update_counts(lake: Lake, update: TableUpdate) -> dict[str, dg.MetadataValue]:
    """Return what was written to a table that is keyed by something else than sessions."""
    rows = lake.read(f"SELECT count(*) FROM {update.table}").item()
    return {
        "inserted": dg.MetadataValue.int(update.inserted),
        "updated": dg.MetadataValue.int(update.updated),
        "deleted": dg.MetadataValue.int(update.deleted),
        "dagster/row_count": dg.MetadataValue.int(rows),
    }


def asking_metadata(
    night: Night, agenda: Agenda, outcomes: Mapping[str, int]
) -> dict[str, dg.MetadataValue]:
    """Return what a night asked its vendor, and why it stopped."""
    seen_from = f"as of {night.as_of.isoformat()}"
    return {
        "night": dg.MetadataValue.text(f"{night.session} of {night.market}, {seen_from}"),
        "requests_planned": dg.MetadataValue.int(agenda.planned),
        "answers": counts_metadata(outcomes),
        "ended_early": dg.MetadataValue.text(agenda.ended_by or "no"),
    }


def unknown_metadata(rejections: Mapping[str, Rejections]) -> dict[str, dg.MetadataValue]:
    """Return the symbols that the vendor does not know, and when each is asked for again."""
    shown = [
        f"{symbol} ({found.count} times, again from {found.next_try:%Y-%m-%d})"
        for symbol, found in sorted(rejections.items())
    ]
    return {"unknown_symbols": dg.MetadataValue.text(", ".join(shown) or "none")}


def stale_metadata(
    latest_sessions: Mapping[str, date], session: date
) -> dict[str, dg.MetadataValue]:
    """Return the symbols that are not known up to a session, with the newest that is."""
    stale = {symbol: latest for symbol, latest in latest_sessions.items() if latest < session}
    shown = [f"{symbol} ({stale[symbol]})" for symbol in sorted(stale)]
    return {"stale_symbols": dg.MetadataValue.text(", ".join(shown) or "none")}


def held_metadata(lake: Lake, table: str) -> dict[str, dg.MetadataValue]:
    """Return how much a table keyed by (symbol, session) holds, and from when to when."""
    held = lake.read(
        "SELECT count(*) AS rows, count(DISTINCT symbol) AS symbols, "
        f"min(session) AS first, max(session) AS last FROM {table}"
    ).row(0, named=True)
    return {
        "dagster/row_count": dg.MetadataValue.int(held["rows"]),
        "symbols": dg.MetadataValue.int(held["symbols"]),
        "first_session": dg.MetadataValue.text(str(held["first"])),
        "last_session": dg.MetadataValue.text(str(held["last"])),
    }


def counts_metadata(counts: Mapping[str, int]) -> dg.MetadataValue:
    """Return counts by name as a small table."""
    if not counts:
        return dg.MetadataValue.text("none")
    lines = [f"| {name} | {count:,} |" for name, count in sorted(counts.items())]
    return dg.MetadataValue.md("\n".join(["| what | count |", "| --- | ---: |", *lines]))


def count_by(rows: pl.DataFrame, column: str) -> dg.MetadataValue:
    """Return how often each value of a column occurs, as a small table; nulls are left out."""
    counted = rows.drop_nulls(column).group_by(column).len()
    return counts_metadata(dict(counted.iter_rows()))


def picture_metadata(png: bytes) -> dg.MetadataValue:
    """Return a picture as Markdown that the UI shows in place."""
    return dg.MetadataValue.md(f"![plot](data:image/png;base64,{base64.b64encode(png).decode()})")


def publishing_metadata(report: PublishingReport) -> dict[str, dg.MetadataValue]:
    """Return what publishing into a collection did."""
    return {
        "collection": dg.MetadataValue.text(report.collection),
        "documents": dg.MetadataValue.int(report.documents),
        "inserted": dg.MetadataValue.int(report.inserted),
        "updated": dg.MetadataValue.int(report.updated),
        "unchanged": dg.MetadataValue.int(report.unchanged),
        "deleted": dg.MetadataValue.int(report.deleted),
        "documents_of_others_left_alone": dg.MetadataValue.int(report.foreign_duplicates),
        "content_hash": dg.MetadataValue.text(report.content_hash),
    }


def price_publishing_metadata(report: PricePublishingReport) -> dict[str, dg.MetadataValue]:
    """Return what publishing prices did, and how little of them it had to look at."""
    return {
        **publishing_metadata(report.published),
        "chunks": dg.MetadataValue.int(report.chunks),
        "chunks_looked_at": dg.MetadataValue.int(report.chunks_due),
    }
