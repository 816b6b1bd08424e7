"""Bars of a collection as data: how they follow from clean prices, and in which chunks they move.

A chunk is one symbol's bars of a month or a year. Its fingerprint covers everything that its
documents are made from, so a chunk with the fingerprint that was published last needs no look at
its documents.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

import polars as pl

from pipelines.documents.price_bar import PriceBar

Chunk = tuple[str, str]
"""A symbol, and the name of a month or year."""


class Chunking(StrEnum):
    """How bars are cut by date; the value is the chunk's name as strftime and MongoDB write it."""

    MONTH = "%Y-%m"
    YEAR = "%Y"

    def name_of(self, instant: datetime) -> str:
        """Return the name of the chunk that an instant lies in."""
        return f"{instant.year:04d}" + (f"-{instant.month:02d}" if self is Chunking.MONTH else "")

    def bounds_of(self, name: str) -> tuple[datetime, datetime]:
        """Return the first instant of a chunk and the first one after it."""
        year, month = int(name[:4]), int(name[5:] or 1)
        months = 1 if self is Chunking.MONTH else 12
        following = year * 12 + month - 1 + months
        return (
            datetime(year, month, 1, tzinfo=UTC),
            datetime(following // 12, following % 12 + 1, 1, tzinfo=UTC),
        )


@dataclass(frozen=True)
class PriceSeries:
    """The documents of one price collection.

    Attributes:
        model: Their model.
        chunking: How they are cut into chunks.
        query: SQL that makes their rows from `bars`, rows of `clean_prices` of whole symbols. The
            columns are fields of the model; `date` is a DATE.
    """

    model: type[PriceBar]
    chunking: Chunking
    query: str

    def fingerprints_query(self) -> str:
        """Return SQL for `symbol`, `chunk`, `documents` and `fingerprint` of every chunk.

        The fingerprint is 64 bits: a change goes unnoticed once in 2^64. Another DuckDB version may
        hash otherwise; then everything is compared once and found unchanged.
        """
        return f"""
            WITH bars AS (SELECT * FROM clean_prices {{at}}), documents AS ({self.query})
            SELECT symbol, strftime(date, '{self.chunking.value}') AS chunk,
                   count(*) AS documents, printf('%016x', bit_xor(hash(documents))) AS fingerprint
            FROM documents GROUP BY ALL ORDER BY ALL"""

    def rows_query(self) -> str:
        """Return SQL for the documents' rows of some chunks.

        The chunks are the parameters `symbols` and `names`, two lists of one length.
        """
        return f"""
            WITH due AS (SELECT unnest($symbols) AS symbol, unnest($names) AS name),
            bars AS (SELECT * FROM clean_prices {{at}} WHERE symbol IN (SELECT symbol FROM due)),
            documents AS ({self.query})
            SELECT documents.* FROM documents SEMI JOIN due
                ON due.symbol = documents.symbol
                AND due.name = strftime(documents.date, '{self.chunking.value}')
            ORDER BY symbol, date"""

    def documents(self, rows: pl.DataFrame, *, source: str) -> Iterator[PriceBar]:
        """Make the documents of rows, in their order."""
        at_midnight = pl.col("date").cast(pl.Datetime("us", "UTC"))
        for row in rows.with_columns(at_midnight).iter_rows(named=True):
            yield self.model.model_validate(row | {"source": source})

    def recipe(self, *, source: str) -> str:
        """Return a hash of what, beside the bars, goes into every document: model and source."""
        schema: Mapping[str, object] = self.model.model_json_schema()
        made_of = json.dumps([source, sorted(self.model.retired), schema], sort_keys=True)
        return hashlib.sha256(made_of.encode()).hexdigest()
