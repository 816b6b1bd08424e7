"""What was found wrong with the data, as the dashboard counts it.

Key: (symbol, data_type, metadata.bar_date, anomaly_type, revision). An event is never taken back:
what the vendor revised or a person released stays, and `metadata.status` says what became of it.
`acknowledged`, `resolved_at` and what a person writes into `metadata` are not ours.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, ClassVar, Literal

import polars as pl
from pydantic import Field

from pipelines.anomalies.severity import Severity
from pipelines.documents.base import DocumentPart, PublishedDocument
from pipelines.documents.evidence import Evidence
from pipelines.documents.values import Count, Instant, Number, Probability, Symbol

Status = Literal["open", "explained", "released", "confirmed", "superseded", "withdrawn"]

FIRST_VALUES: Mapping[str, object] = {"acknowledged": False, "resolved_at": None}
"""What a new document says of a person's word; readers filter by it."""


class EventMetadata(DocumentPart):
    """What the desk adds to an event; a person may add `resolution` and `note`."""

    bar_date: date = Field(description="Session of the bar, or of the bar that is missing.")
    revision: Count = Field(description="Revision of the bar that it is about; 0 for no bar.")
    status: Status = Field(
        description="open; explained: no fault after all; released or confirmed by a person; "
        "superseded: the vendor has revised the bar since; withdrawn: no longer found."
    )
    is_withheld: bool = Field(description="Whether the bar is kept from every model now.")
    first_severity: Severity = Field(description="Severity when it was first seen.")
    explanation: str | None = Field(description="Why it is no fault after all; null if unknown.")
    how_to_resolve: str | None = Field(description="What a person can do; null if nothing waits.")
    evidence: Evidence = Field(description="The figures behind it, by name.")
    night_id: str = Field(description="The night that saw it first.")


class DataQualityEvent(PublishedDocument):
    """One anomaly of one bar, since it was first seen."""

    collection: ClassVar[str] = "data_quality_events"
    natural_key: ClassVar[tuple[str, ...]] = (
        *("symbol", "data_type", "metadata.bar_date", "anomaly_type", "revision"),
    )
    open_maps: ClassVar[frozenset[str]] = frozenset({"metadata"})
    first_values: ClassVar[Mapping[str, object]] = FIRST_VALUES

    symbol: Symbol | Literal["*"] = Field(
        description="Ticker, upper case; * where it is the whole market's."
    )
    data_type: Literal["daily", "weekly"] = Field(description="The bars that it is about.")
    occurred_at: Instant = Field(
        description="When it was first detected; for history loaded at first, the bar's close."
    )
    severity: Severity = Field(description="How bad it is by what is known now.")
    anomaly_type: str = Field(min_length=1, description="Name of the rule, see docs/anomalies.md.")
    revision: Count = Field(description="Revision of the bar; 0 where it is about no bar.")
    iso_score: Probability | None = Field(description="Isolation Forest: 0 usual to 1 alone.")
    prophet_score: Number | None = Field(description="Distance from the forecast, in deviations.")
    price_change_pct: Number | None = Field(
        description="The bar's close over the last clean close before it, in percent."
    )
    volume_z_score: Number | None = Field(description="Log volume in deviations from its usual.")
    message: str = Field(min_length=1, description="What is wrong, in words, with the values.")
    source: str = Field(description="The market that the bar came from.")
    metadata: EventMetadata = Field(description="Bar, status and evidence.")


def quality_events(rows: pl.DataFrame, *, source: str) -> Iterator[DataQualityEvent]:
    """Make the documents of rows of `pipelines.anomalies.events.EVENTS_QUERY`."""
    for row in rows.iter_rows(named=True):
        yield DataQualityEvent(
            symbol=row["symbol"],
            data_type=row["data_type"],
            occurred_at=row["first_detected_at"],
            severity=row["severity"],
            anomaly_type=row["anomaly_type"],
            revision=row["revision"],
            iso_score=row["isolation_score"],
            prophet_score=row["prophet_score"],
            price_change_pct=row["price_change_pct"],
            volume_z_score=row["volume_z_score"],
            message=row["message"],
            source=source,
            metadata=_metadata(row),
        )


def _metadata(row: Mapping[str, Any]) -> EventMetadata:
    """Return what stands in an event's map."""
    waits = row["is_withheld"] and row["status"] == "open"
    return EventMetadata(
        bar_date=row["session"],
        revision=row["revision"],
        status=row["status"],
        is_withheld=row["is_withheld"],
        first_severity=row["first_severity"],
        explanation=row["explanation"],
        how_to_resolve=HOW_TO_RESOLVE if waits else None,
        evidence=row["evidence"],
        night_id=row["night_id"],
    )


HOW_TO_RESOLVE = (
    "set resolved_at to now and metadata.resolution to 'release' (the bar is right) or 'confirm' "
    "(it is wrong), with a word in metadata.note; the next night obeys"
)
