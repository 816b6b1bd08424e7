"""The quality of the data, one document a night, flat for dashboards. Key: (night_id).

Counts are of what the night saw first; `open_reviews` is what waited for a person when it ended.
"""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, ClassVar

import polars as pl
from pydantic import Field

from pipelines.anomalies.severity import Severity
from pipelines.documents.base import DocumentPart, Index, PublishedDocument
from pipelines.documents.values import Count, Instant, Probability
from pipelines.nights import Night, Origin


class AnomalyCount(DocumentPart):
    """How often a night saw one kind of anomaly for the first time."""

    anomaly_type: str = Field(description="Name of the rule, see docs/anomalies.md.")
    severity: Severity = Field(description="Severity when it was first seen.")
    count: Count = Field(description="Anomalies.")


class WorstSymbol(DocumentPart):
    """A symbol of which a night saw much."""

    symbol: str = Field(description="Ticker; * for the whole market.")
    anomalies: Count = Field(description="What the night saw of it first.")
    worst_severity: Severity = Field(description="The gravest of it.")


class DataQualitySummary(PublishedDocument):
    """What one night found of its data."""

    collection: ClassVar[str] = "data_quality_summaries"
    natural_key: ClassVar[tuple[str, ...]] = ("night_id",)
    indexes: ClassVar[tuple[Index, ...]] = (
        Index("nightdesk_data_quality_summaries_natural_key", (("night_id", 1),), unique=True),
        Index("nightdesk_data_quality_summaries_session", (("market", 1), ("session", -1))),
    )

    night_id: str = Field(description="The night that looked.")
    market: str = Field(description="Where the data comes from.")
    session: date = Field(description="The trading day of the night.")
    as_of: Instant = Field(description="The instant that the night is seen from.")
    origin: Annotated[Origin, Field(strict=False)] = Field(description="live or backfill.")
    bars: Count = Field(description="Daily bars of the session that have come.")
    bars_withheld: Count = Field(description="Of these, kept from every model.")
    bars_suspect: Count = Field(description="Of these, in doubt and not withheld.")
    quality_score: Probability | None = Field(
        description="Share of the session's bars that are beyond doubt, a suspect one counting "
        "half; null without a bar."
    )
    seen_low: Count = Field(description="Anomalies of low severity that the night saw first.")
    seen_medium: Count = Field(description="The same of medium severity.")
    seen_high: Count = Field(description="The same of high severity.")
    seen_critical: Count = Field(description="The same of critical severity.")
    open_reviews: Count = Field(description="Withheld bars of any session that wait for a person.")
    oldest_open_review: date | None = Field(description="Session of the oldest of them.")
    released: Count = Field(description="Verdicts that the night landed: the bar is right.")
    confirmed: Count = Field(description="Verdicts that the night landed: the bar is wrong.")
    revised: Count = Field(description="Bars that the vendor had revised when the night came.")
    anomaly_types: Annotated[tuple[AnomalyCount, ...], Field(strict=False)] = Field(
        description="What the night saw first, by type, the gravest first."
    )
    worst_symbols: Annotated[tuple[WorstSymbol, ...], Field(strict=False)] = Field(
        description="The ten symbols with the gravest and the most of it."
    )


def quality_summary(
    night: Night, figures: Mapping[str, Any], *, types: pl.DataFrame, worst: pl.DataFrame
) -> DataQualitySummary:
    """Make a night's document from what the queries of `pipelines.anomalies.summaries` say."""
    bars = figures["bars"]
    doubtful = figures["bars_withheld"] + figures["bars_suspect"] / 2
    return DataQualitySummary(
        **figures,
        night_id=night.night_id,
        market=night.market,
        session=night.session,
        as_of=night.as_of,
        origin=night.origin,
        quality_score=max(0.0, 1 - doubtful / bars) if bars else None,
        anomaly_types=tuple(AnomalyCount(**row) for row in types.iter_rows(named=True)),
        worst_symbols=tuple(WorstSymbol(**row) for row in worst.iter_rows(named=True)),
    )
