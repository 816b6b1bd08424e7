"""Telling the webhook of grave anomalies, and noting in the lake what it has taken."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from pipelines.anomalies.calls import (
    DUE_QUERY,
    batches,
    call_document,
    call_rows,
    due_since,
    idempotency_key,
)
from pipelines.anomalies.events import EVENTS_QUERY
from pipelines.anomalies.severity import GRAVE
from pipelines.anomalies.sightings import KEY
from pipelines.anomalies.tables import ANOMALY_CALLS
from pipelines.documents.quality_event import DataQualityEvent, quality_events
from pipelines.nights import Night
from resources.lake import Lake
from resources.webhook import Webhook

NO_WEBHOOK = "no webhook is set"


@dataclass(frozen=True)
class CallReport:
    """How many events the webhook has taken tonight, how many wait, and why they do."""

    delivered: int
    calls: int
    waiting: int
    fault: str | None


def call_about_anomalies(lake: Lake, webhook: Webhook, *, night: Night) -> CallReport:
    """Tell the webhook of every grave sighting that it has not taken yet; it can fail nothing.

    What is not taken tonight, because nobody answers or there is too much of it, waits for the next
    night. Each call is noted as soon as it is taken.
    """
    events = _due(lake, night)
    if not webhook.url:
        return CallReport(0, 0, len(events), NO_WEBHOOK if events else None)
    delivered = calls = 0
    fault = None
    for batch in batches(events):
        fault = webhook.post(
            call_document(batch, night=night), idempotency_key=idempotency_key(batch)
        )
        if fault:
            break
        _note(lake, batch, night=night)
        delivered, calls = delivered + len(batch), calls + 1
    return CallReport(delivered, calls, len(events) - delivered, fault)


def _note(lake: Lake, events: Sequence[DataQualityEvent], *, night: Night) -> None:
    """Note that the webhook has taken some events."""
    rows = call_rows(events, night=night)
    lake.commit(
        lambda writer: writer.append(ANOMALY_CALLS, rows),
        night=night,
        message="note a call of the webhook",
    )


def _due(lake: Lake, night: Night) -> list[DataQualityEvent]:
    """Return the events to tell, as they are published, in the order of their sighting.

    One that a person has judged, or that is explained or revised meanwhile, is no news any more.
    """
    due = lake.read(DUE_QUERY, {"since": due_since(night), "as_of": night.as_of})
    if due.is_empty():
        return []
    symbols = due["symbol"].unique().sort().to_list()
    rows = lake.read(EVENTS_QUERY, {"symbols": symbols})
    key = KEY.split(", ")
    grave = rows.filter(pl.col("severity").is_in(GRAVE), pl.col("status") == "open")
    told = due.join(grave, on=key, maintain_order="left")
    return list(quality_events(told, source=night.market))
