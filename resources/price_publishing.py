"""Publishing prices in chunks: only what changed since it was last published is touched.

A chunk is due where its fingerprint in the lake is not the one in our mark, or where the number of
our documents is not the number of its bars: lost documents are noticed, and so is a wiped database.
Where the first bars of a due chunk are what the mark speaks of, as when a session came, the others
alone are compared and written. A document that someone changes among bars that stand is put right
when one of these changes next, or once its mark is deleted.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import polars as pl
from pymongo.collection import Collection
from pymongo.database import Database

from pipelines.documents.base import PUBLISHER, collection_hash
from pipelines.documents.price_series import Chunk, PriceSeries, fresh_rows
from pipelines.documents.publishing_mark import PublishingMark
from pipelines.nights import Night
from resources.lake import Lake
from resources.mongodb import Document
from resources.price_chunks import ChunkReader, Chunks
from resources.publishing_marks import mark, marked
from resources.publishing_report import PricePublishingReport, PublishingReport
from resources.publishing_scope import ChunkScope
from resources.reconciliation import reconcile
from resources.serving import Serving

BATCH_BARS = 30_000
"""Bars that are held at once: about 120 MB where all of them become documents, which few do."""

EARLIEST = datetime(1, 1, 1, tzinfo=UTC)
"""Before every date: a bound that keeps a scan within the index."""

Progress = Callable[[str], None]

_PUBLISHED = {
    "symbol": pl.String,
    "chunk": pl.String,
    "published": pl.String,
    "documents": pl.Int64,
}


def publish_prices(
    series: PriceSeries,
    *,
    lake: Lake,
    serving: Serving,
    night: Night,
    progress: Progress,
) -> PricePublishingReport:
    """Make our documents of a price collection what the lake's clean prices say, as of a night.

    Args:
        series: The collection.
        lake: Where clean prices are read, all at one version.
        serving: Where documents and marks are written.
        night: The night, whose market the bars come from.
        progress: Told of every batch.
    """
    serving.ensure_indexes([series.model, PublishingMark])
    publishing = _Publishing(series, lake, night.market, night.as_of)
    reader = ChunkReader(lake, series, series.recipe(source=night.market))
    with serving.connect() as database:
        standing = publishing.standing(database)
        chunks = reader.read(standing.fingerprints)
        due = standing.due(chunks)
        reports = []
        for batch in _batches(due, chunks.bars):
            reports.append(publishing.publish(database, batch, chunks, standing))
            progress(
                f"{series.model.collection}: {sum(report.documents for report in reports):,} bars "
                f"compared, through {max(batch)[0]}"
            )
    if lake.tells_changes and (due or not chunks.is_noted):  # a rerun leaves the lake as it is
        reader.note(chunks, night=night)
    return PricePublishingReport(
        published=_total(series, reports, chunks), chunks=len(chunks.bars), chunks_due=len(due)
    )


@dataclass(frozen=True)
class _Standing:
    """What stands published: the fingerprint in our mark, and our documents, of each chunk."""

    fingerprints: Mapping[Chunk, str]
    documents: Mapping[Chunk, int]

    def due(self, chunks: Chunks) -> list[Chunk]:
        """Return the chunks to publish, by symbol and time."""
        return sorted(
            chunk
            for chunk in chunks.bars.keys() | self.fingerprints.keys() | self.documents.keys()
            if chunks.fingerprint(chunk) != self.fingerprints.get(chunk)
            or chunks.bars.get(chunk, 0) != self.documents.get(chunk, 0)
        )

    def of(self, chunks: Iterable[Chunk]) -> pl.DataFrame:
        """Return some chunks as `fresh_rows` needs them; one without a mark is left out."""
        return pl.DataFrame(
            [
                (*chunk, self.fingerprints[chunk], self.documents.get(chunk, 0))
                for chunk in chunks
                if chunk in self.fingerprints
            ],
            schema=_PUBLISHED,
            orient="row",
        )


@dataclass(frozen=True)
class _Publishing:
    """What publishing one collection in one night goes by."""

    series: PriceSeries
    lake: Lake
    source: str
    as_of: datetime

    def standing(self, database: Database[Document]) -> _Standing:
        """Return what stands published of the collection."""
        collection = self.series.model.collection
        recipe = self.series.recipe(source=self.source)
        known = {
            (symbol, name): fingerprint
            for symbol, of_symbol in marked(database, collection, recipe=recipe).items()
            for name, fingerprint in of_symbol.items()
        }
        return _Standing(known, _count_stored(database[collection], self.series))

    def publish(
        self,
        database: Database[Document],
        batch: Iterable[Chunk],
        chunks: Chunks,
        standing: _Standing,
    ) -> PublishingReport:
        """Publish some chunks, whole symbols of them, and then mark them as published."""
        model, due = self.series.model, frozenset(batch)
        symbols = sorted({symbol for symbol, _ in due})
        fresh = fresh_rows(self._rows(due, chunks.version), standing.of(due))
        report = reconcile(
            database[model.collection],
            model,
            self.series.documents(fresh.rows, source=self.source),
            scope=ChunkScope(due, self.series.chunking, fresh.since),
            as_of=self.as_of,
        )
        mark(
            database,
            model.collection,
            {symbol: chunks.fingerprints.get(symbol, {}) for symbol in symbols},
            recipe=self.series.recipe(source=self.source),
            as_of=self.as_of,
        )
        return report

    def _rows(self, chunks: Iterable[Chunk], version: int) -> pl.DataFrame:
        """Return the rows of chunks, as the lake had them when they were found due."""
        due, series = sorted(chunks), self.series
        symbols, names = [symbol for symbol, _ in due], [name for _, name in due]
        firsts = [series.chunking.bounds_of(name)[0].date() for name in names]
        since = self.lake.read(
            series.since_query(), {"symbols": symbols, "firsts": firsts}, version=version
        ).item()
        parameters = {"symbols": symbols, "names": names, "since": since}
        return self.lake.read(series.rows_query(), parameters, version=version)


def _count_stored(collection: Collection[Document], series: PriceSeries) -> Mapping[Chunk, int]:
    """Return how many documents of ours each chunk has, from our index alone."""
    counted = collection.aggregate(count_stages(series), hint=series.model.indexes[0].name)
    return {(row["_id"]["symbol"], row["_id"]["chunk"]): row["documents"] for row in counted}


def count_stages(series: PriceSeries) -> list[dict[str, Any]]:
    """Return the aggregation that counts our documents by chunk."""
    name = {"$dateToString": {"format": series.chunking.value, "date": "$date"}}
    return [
        {"$match": {"symbol": {"$gte": ""}, "date": {"$gte": EARLIEST}, "publisher": PUBLISHER}},
        {"$group": {"_id": {"symbol": "$symbol", "chunk": name}, "documents": {"$sum": 1}}},
    ]


def _batches(due: Iterable[Chunk], bars: Mapping[Chunk, int]) -> Iterator[list[Chunk]]:
    """Cut chunks in order into batches of whole symbols with about `BATCH_BARS` bars."""
    batch: list[Chunk] = []
    size = 0
    for chunk in due:
        if size >= BATCH_BARS and chunk[0] != batch[-1][0]:
            yield batch
            batch, size = [], 0
        batch.append(chunk)
        size += bars.get(chunk, 0)
    if batch:
        yield batch


def _total(
    series: PriceSeries, reports: Iterable[PublishingReport], chunks: Chunks
) -> PublishingReport:
    """Return what publishing did to the whole collection; its hash is over fingerprints."""
    total = PublishingReport(
        collection=series.model.collection,
        inserted=0,
        updated=0,
        unchanged=sum(chunks.bars.values()),
        deleted=0,
        foreign_duplicates=0,
        content_hash=collection_hash(
            (chunk, fingerprint)
            for chunk in chunks.bars
            if (fingerprint := chunks.fingerprint(chunk))
        ),
    )
    for report in reports:
        total = replace(
            total,
            inserted=total.inserted + report.inserted,
            updated=total.updated + report.updated,
            unchanged=total.unchanged - report.inserted - report.updated,
            deleted=total.deleted + report.deleted,
            foreign_duplicates=total.foreign_duplicates + report.foreign_duplicates,
        )
    return total
