"""Whom to tell of what: sightings of high or critical severity, each told once to the webhook.

A call names itself by what it is about, so that one which comes twice (a night that was killed
between the call and the note of it) can be told from a new one.
"""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import polars as pl

from pipelines.anomalies.severity import GRAVE, quoted
from pipelines.anomalies.sightings import KEY
from pipelines.documents.base import document_id, natural_key_of
from pipelines.documents.quality_event import DataQualityEvent
from pipelines.nights import Night

EVENTS_A_CALL = 50
CALLS_A_NIGHT = 20
NEWS_FOR = timedelta(days=7)
"""What was first seen longer ago is no news: a webhook that is set up today is not told of it."""

CALL_KIND = "price_anomalies"

DUE_QUERY = f"""
    SELECT {KEY}
    FROM anomaly_sightings ANTI JOIN anomaly_calls USING ({KEY})
    WHERE (severity IN ({quoted(GRAVE)}) OR withheld_at IS NOT NULL)
      AND greatest(sighted_at, coalesce(withheld_at, sighted_at)) BETWEEN $since AND $as_of
    ORDER BY sighted_at, {KEY}
"""
"""Keys of the sightings that the webhook has not taken, the oldest first."""


def due_since(night: Night) -> datetime:
    """Return since when a sighting is news to a night."""
    return night.as_of - NEWS_FOR


def batches(events: Sequence[DataQualityEvent]) -> Iterator[Sequence[DataQualityEvent]]:
    """Cut events into as many calls as one night may make."""
    for start in range(0, min(len(events), EVENTS_A_CALL * CALLS_A_NIGHT), EVENTS_A_CALL):
        yield events[start : start + EVENTS_A_CALL]


def event_id(event: DataQualityEvent) -> str:
    """Return the `_id` that the event has in MongoDB."""
    return document_id(event.collection, natural_key_of(DataQualityEvent, event.to_mongo()))


def idempotency_key(events: Sequence[DataQualityEvent]) -> str:
    """Return the name of a call: the same events give the same one."""
    names = "\n".join(event_id(event) for event in events)
    return hashlib.sha256(names.encode()).hexdigest()


def call_document(events: Sequence[DataQualityEvent], *, night: Night) -> dict[str, object]:
    """Return what the webhook is sent about some events."""
    return {
        "kind": CALL_KIND,
        "market": night.market,
        "session": night.session.isoformat(),
        "idempotency_key": idempotency_key(events),
        "events": [_told(event) for event in events],
    }


def call_rows(events: Sequence[DataQualityEvent], *, night: Night) -> pl.DataFrame:
    """Return the rows of `anomaly_calls` that say that a call was taken."""
    name = idempotency_key(events)
    rows = [
        (
            *(event.symbol, event.metadata.bar_date, event.data_type, event.anomaly_type),
            *(event.revision, name, night.night_id, night.as_of),
        )
        for event in events
    ]
    schema = pl.Schema(
        {
            "symbol": pl.String(),
            "session": pl.Date(),
            "data_type": pl.String(),
            "anomaly_type": pl.String(),
            "revision": pl.Int32(),
            "idempotency_key": pl.String(),
            "night_id": pl.String(),
            "called_at": pl.Datetime("us", "UTC"),
        }
    )
    return pl.DataFrame(rows, schema=schema, orient="row")


def _told(event: DataQualityEvent) -> dict[str, object]:
    """Return one event as plain JSON."""
    names = ("iso_score", "prophet_score", "price_change_pct", "volume_z_score")
    return {
        "event_id": event_id(event),
        "symbol": event.symbol,
        "severity": event.severity,
        "occurred_at": event.occurred_at.isoformat(),
        "data_type": event.data_type,
        "anomaly_type": event.anomaly_type,
        "message": event.message,
        "scores": {name: getattr(event, name) for name in names},
        "metadata": event.to_mongo()["metadata"],
    }
