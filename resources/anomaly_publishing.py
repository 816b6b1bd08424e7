"""Publishing what is wrong with the data: events, and bars that are or were withheld.

Only symbols of which something changed since they were last published are touched, whole ones and
some at a time: neither a night's work nor its memory grows with the trail. A document that someone
changes is put right when anything of its symbol changes next, or once its mark is deleted; a lost
one is noticed.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl
from pymongo.database import Database

from pipelines.anomalies.catalogue import MARKET
from pipelines.anomalies.events import (
    EVENTS_BY_SYMBOL_QUERY,
    EVENTS_QUERY,
    LATER_PRICES_QUERY,
    explained_by_later_prices,
    left_to_later_prices,
)
from pipelines.anomalies.withheld import WITHHELD_BY_SYMBOL_QUERY, WITHHELD_QUERY
from pipelines.documents.base import PUBLISHER, PublishedDocument, collection_hash, recipe_of
from pipelines.documents.publishing_mark import PublishingMark
from pipelines.documents.quality_event import DataQualityEvent, quality_events
from pipelines.documents.quarantined_price import QuarantinedPrice, quarantined_price_documents
from resources.lake import Lake
from resources.mongodb import Document
from resources.publishing_marks import mark, marked
from resources.publishing_report import PublishingReport
from resources.publishing_scope import PublishingScope
from resources.reconciliation import reconcile
from resources.serving import Serving

BATCH_DOCUMENTS = 5_000
"""Documents that are held at once, whole symbols of them: about 40 MB."""
WHOLE = "all"
"""The name that a symbol's one fingerprint has in its mark."""
STATE = ("symbol", "documents", "fingerprint", "waits")


@dataclass(frozen=True)
class Trail:
    """A collection whose documents follow from the lake, symbol by symbol.

    Attributes:
        model: Its documents.
        states_query: SQL for each symbol: `documents` it has, their `fingerprint`, and whether one
            of them `waits` for what the fingerprint does not know.
        rows: Reads the rows of some symbols from one version of the lake.
        documents: Makes the documents of rows that came from a market.
        revision: Another one when the same rows make other documents.
    """

    model: type[PublishedDocument]
    states_query: str
    rows: Callable[[Lake, list[str], int], pl.DataFrame]
    documents: Callable[[pl.DataFrame, str], Iterator[PublishedDocument]]
    revision: str = "1"


def _event_rows(lake: Lake, symbols: list[str], version: int) -> pl.DataFrame:
    """Return the events of some symbols, jumps explained where later prices confirm them."""
    events = lake.read(EVENTS_QUERY, {"symbols": symbols}, version=version)
    jumped = left_to_later_prices(events)
    if not jumped:
        return events
    bars = lake.read(LATER_PRICES_QUERY, {"symbols": jumped}, version=version)
    return explained_by_later_prices(events, bars)


def _withheld_rows(lake: Lake, symbols: list[str], version: int) -> pl.DataFrame:
    """Return the bars of some symbols that are or were withheld."""
    return lake.read(WITHHELD_QUERY, {"symbols": symbols}, version=version)


EVENTS = Trail(
    DataQualityEvent,
    EVENTS_BY_SYMBOL_QUERY,
    _event_rows,
    lambda rows, source: quality_events(rows, source=source),
)
QUARANTINE = Trail(
    QuarantinedPrice,
    WITHHELD_BY_SYMBOL_QUERY,
    _withheld_rows,
    lambda rows, source: quarantined_price_documents(rows, source=source),
)


def publish_trail(
    trail: Trail, *, lake: Lake, serving: Serving, source: str, as_of: datetime
) -> PublishingReport:
    """Make our documents of a trail what the lake says, as of a night.

    Documents of a symbol that the lake has nothing to say of stay: the trail outlives a lake.
    """
    version = lake.version()
    states = lake.read(trail.states_query, version=version)
    serving.ensure_indexes([trail.model, PublishingMark])
    publishing = _TrailPublishing(trail, lake, source, as_of, version)
    with serving.connect() as database:
        due = publishing.due(database, states)
        reports = [publishing.publish(database, batch) for batch in _batches(due)]
    return _sum_of(reports, trail.model.collection, states)


@dataclass(frozen=True)
class _TrailPublishing:
    """What publishing one trail in one night goes by."""

    trail: Trail
    lake: Lake
    source: str
    as_of: datetime
    version: int

    @property
    def recipe(self) -> str:
        """Hash of what, beside the lake's rows, goes into every document."""
        return recipe_of(self.trail.model, source=self.source, revision=self.trail.revision)

    def due(self, database: Database[Document], states: pl.DataFrame) -> pl.DataFrame:
        """Return the symbols to publish: changed, waiting, or with documents that are lost."""
        collection = self.trail.model.collection
        known = marked(database, collection, recipe=self.recipe)
        counted = database[collection].aggregate(
            [{"$match": {"publisher": PUBLISHER}}, {"$group": {"_id": "$symbol", "n": {"$sum": 1}}}]
        )
        stored = {row["_id"]: row["n"] for row in counted}
        is_due = [
            waits
            or known.get(symbol, {}).get(WHOLE) != fingerprint
            or stored.get(symbol, 0) < count
            for symbol, count, fingerprint, waits in states.select(*STATE).iter_rows()
        ]
        return states.filter(pl.Series(is_due, dtype=pl.Boolean))

    def publish(self, database: Database[Document], batch: pl.DataFrame) -> PublishingReport:
        """Publish some symbols, and then mark them as published."""
        trail, symbols = self.trail, batch["symbol"].to_list()
        rows = trail.rows(self.lake, symbols, self.version)
        report = reconcile(
            database[trail.model.collection],
            trail.model,
            trail.documents(rows, self.source),
            scope=PublishingScope.of({"symbol": symbols, "publisher": PUBLISHER}),
            as_of=self.as_of,
        )
        named = batch.filter(pl.col("symbol") != MARKET)
        fingerprints = {
            symbol: {WHOLE: fingerprint}
            for symbol, fingerprint in named.select("symbol", "fingerprint").iter_rows()
        }
        mark(
            database,
            trail.model.collection,
            fingerprints,
            recipe=self.recipe,
            as_of=self.as_of,
        )
        return report


def _batches(due: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Cut symbols into batches of about `BATCH_DOCUMENTS` documents."""
    before = due["documents"].cum_sum() - due["documents"]
    for _, batch in due.group_by((before // BATCH_DOCUMENTS).alias("batch"), maintain_order=True):
        yield batch


def _sum_of(
    reports: Iterable[PublishingReport], collection: str, states: pl.DataFrame
) -> PublishingReport:
    """Return what was done to the whole collection; its hash is over fingerprints."""
    hashes = collection_hash(states.select(pl.concat_list("symbol"), "fingerprint").iter_rows())
    total = PublishingReport(collection, 0, 0, 0, 0, 0, content_hash=hashes)
    for report in reports:
        total = replace(
            total,
            inserted=total.inserted + report.inserted,
            updated=total.updated + report.updated,
            deleted=total.deleted + report.deleted,
            foreign_duplicates=total.foreign_duplicates + report.foreign_duplicates,
        )
    unchanged = int(states["documents"].sum()) - total.inserted - total.updated
    return replace(total, unchanged=unchanged)
