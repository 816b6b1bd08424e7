"""The quality of nights, asked of the lake."""

from collections.abc import Iterable, Iterator
from datetime import date

import polars as pl

from pipelines.anomalies.plots import RECENT_SESSIONS
from pipelines.anomalies.summaries import (
    FIGURES_QUERY,
    RECENT_QUERY,
    TYPES_QUERY,
    WORST_SYMBOLS_QUERY,
)
from pipelines.documents.quality_summary import DataQualitySummary, quality_summary
from pipelines.nights import Night
from resources.lake import Lake


def quality_summaries(lake: Lake, nights: Iterable[Night]) -> Iterator[DataQualitySummary]:
    """Make the document of each night."""
    for night in nights:
        name = {"night_id": night.night_id}
        asked = {**name, "session": night.session, "as_of": night.as_of}
        yield quality_summary(
            night,
            lake.read(FIGURES_QUERY, asked).row(0, named=True),
            types=lake.read(TYPES_QUERY, name),
            worst=lake.read(WORST_SYMBOLS_QUERY, name),
        )


def recent_anomalies(lake: Lake, session: date) -> pl.DataFrame:
    """Return how many anomalies each of the last sessions has, by severity when first seen."""
    return lake.read(RECENT_QUERY, {"session": session, "sessions": RECENT_SESSIONS})
