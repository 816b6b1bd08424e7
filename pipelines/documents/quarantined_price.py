"""Bars that are or were withheld, as the vendor sent them. Key: (symbol, date, revision).

They are kept out of `stock_price_daily` and every model. A person ends that by setting
`resolved_at` and `metadata.resolution`, which are not ours; resolved and revised bars stay as the
trail of who decided what.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import Field

from pipelines.anomalies.severity import Severity
from pipelines.anomalies.withheld import BARS
from pipelines.documents.base import DocumentPart, Index, PublishedDocument
from pipelines.documents.evidence import Evidence
from pipelines.documents.quality_event import FIRST_VALUES, HOW_TO_RESOLVE
from pipelines.documents.values import (
    LARGEST_MONGO_INTEGER,
    Count,
    Instant,
    Number,
    SessionInstant,
    Symbol,
)

QuarantineStatus = Literal["open", "released", "confirmed", "superseded", "withdrawn"]
Words = Annotated[tuple[str, ...], Field(strict=False)]


class QuarantineMetadata(DocumentPart):
    """What the desk puts beside a person's word; a person may add `resolution` and `note`."""

    bar_date: date = Field(description="The bar's session, as in an event of it.")


class QuarantinedPrice(PublishedDocument):
    """One revision of one bar that was withheld."""

    collection: ClassVar[str] = "quarantined_prices"
    natural_key: ClassVar[tuple[str, ...]] = ("symbol", "date", "revision")
    indexes: ClassVar[tuple[Index, ...]] = (
        Index(
            "nightdesk_quarantined_prices_natural_key",
            (("symbol", 1), ("date", 1), ("revision", 1)),
            unique=True,
        ),
        Index("nightdesk_quarantined_prices_status", (("status", 1), ("date", -1))),
    )
    open_maps: ClassVar[frozenset[str]] = frozenset({"metadata"})
    first_values: ClassVar[Mapping[str, object]] = FIRST_VALUES

    symbol: Symbol = Field(description="Ticker, upper case.")
    date: SessionInstant = Field(description="The bar's session, as its midnight in UTC.")
    revision: Count = Field(description="Which of the vendor's versions of the bar this is.")
    status: QuarantineStatus = Field(
        description="open: waits for a person; released or confirmed by one; superseded: the "
        "vendor has revised the bar since; withdrawn: no rule withholds it any more."
    )
    is_withheld: bool = Field(description="Whether this revision is kept from every model now.")
    severity: Severity = Field(description="The worst that the rules found.")
    rules: Words = Field(description="Names of the rules that withheld it.")
    reasons: Words = Field(description="The same in words, with the values.")
    evidence: Evidence = Field(description="The figures behind each rule, by its name.")
    open: Number | None = Field(
        description="As the vendor sent it, right or wrong; null: no number."
    )
    high: Number | None = Field(description="As the vendor sent it.")
    low: Number | None = Field(description="As the vendor sent it.")
    close: Number | None = Field(description="As the vendor sent it.")
    volume: int = Field(
        ge=-LARGEST_MONGO_INTEGER, le=LARGEST_MONGO_INTEGER, description="As the vendor sent it."
    )
    adjusted_close: Number | None = Field(description="As the vendor sent it.")
    dividend_amount: Number | None = Field(description="As the vendor sent it.")
    split_coefficient: Number | None = Field(description="As the vendor sent it.")
    last_good_revision: Count | None = Field(
        description="The earlier revision that is in force instead; null: the session is missing."
    )
    first_detected_at: Instant = Field(description="Since when it is known to be wrong.")
    how_to_resolve: str | None = Field(description="What a person can do; null if nothing waits.")
    source: str = Field(description="The market that the bar came from.")
    metadata: QuarantineMetadata = Field(description="Where a person's word goes.")


def quarantined_price_documents(rows: pl.DataFrame, *, source: str) -> Iterator[QuarantinedPrice]:
    """Make the documents of rows of `pipelines.anomalies.withheld.WITHHELD_QUERY`."""
    at_midnight = pl.col("session").cast(pl.Datetime("us", "UTC"))
    for row in rows.with_columns(at_midnight.alias("date")).iter_rows(named=True):
        kept = {name: row[name] for name in _COPIED}
        yield QuarantinedPrice.model_validate(
            {
                **kept,
                "source": source,
                "how_to_resolve": HOW_TO_RESOLVE if row["status"] == "open" else None,
                "metadata": QuarantineMetadata(bar_date=row["session"]),
            }
        )


_COPIED = (
    *("symbol", "date", "revision", "status", "is_withheld", "severity", "rules", "reasons"),
    *("evidence", *BARS, "last_good_revision", "first_detected_at"),
)
