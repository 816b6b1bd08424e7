"""Prices move in chunks: what did not change is not touched, what was lost comes back."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pymongo.database import Database

from pipelines.documents.base import PublishedDocument
from pipelines.documents.daily_price import DAILY_PRICE_SERIES
from pipelines.documents.period_price import MONTHLY_PRICE_SERIES, WEEKLY_PRICE_SERIES
from pipelines.documents.price_series import Chunking, PriceSeries
from pipelines.nights import Night, Origin
from pipelines.tables import CLEAN_PRICES
from resources import price_publishing
from resources.lake import Lake
from resources.price_publishing import Progress, publish_prices
from resources.publishing_report import PricePublishingReport
from resources.serving import Serving
from tests.support.backend_contract import assert_valid
from tests.support.clean_bars import chained
from tests.support.documents import AS_OF, NEXT_AS_OF
from tests.support.lake import SESSIONS, night_of, simulated_bars, temporary_lake
from tests.support.quality_tables import put

MongoDatabase = Database[dict[str, Any]]
ALL_SERIES = (DAILY_PRICE_SERIES, WEEKLY_PRICE_SERIES, MONTHLY_PRICE_SERIES)
ONE_OF_EACH = pytest.mark.parametrize("series", ALL_SERIES, ids=lambda one: one.model.collection)


CLEAN = chained(simulated_bars(sessions=60)).with_columns(known_at=pl.lit(AS_OF))
LAST = SESSIONS[59]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A lake with the clean bars of three symbols over 60 sessions."""
    lake = temporary_lake(tmp_path)
    lake.commit(lambda writer: writer.append(CLEAN_PRICES, CLEAN), night=night_of(), message="put")
    return lake


def publish(
    lake: Lake,
    serving: Serving,
    series: PriceSeries = DAILY_PRICE_SERIES,
    *,
    source: str = "sample",
    as_of: datetime = AS_OF,
    progress: Progress = lambda _: None,
) -> PricePublishingReport:
    """Publish a series as a night does."""
    night = Night(source, LAST, as_of, Origin.LIVE)
    return publish_prices(series, lake=lake, serving=serving, night=night, progress=progress)


def stored(database: MongoDatabase, series: PriceSeries) -> list[dict[str, Any]]:
    """Return all documents of a series, ordered by `_id`."""
    return list(database[series.model.collection].find().sort("_id"))


def change_clean(lake: Lake, statement: str) -> None:
    """Change clean prices by a statement of SQL."""
    lake.commit(
        lambda writer: writer.connection.execute(statement), night=night_of(), message="change"
    )


@ONE_OF_EACH
def test_an_unchanged_lake_is_not_published_again(
    lake: Lake, serving: Serving, database: MongoDatabase, series: PriceSeries
) -> None:
    """A night compares what is new, not the history of the whole market."""
    first = publish(lake, serving, series)
    before, version = stored(database, series), lake.version()
    again = publish(lake, serving, series, as_of=NEXT_AS_OF)
    assert lake.version() == version
    assert first.chunks == first.chunks_due >= 3
    assert first.published.inserted == len(before) > 0
    assert (again.chunks_due, again.published.unchanged) == (0, len(before))
    assert again.published.content_hash == first.published.content_hash
    assert stored(database, series) == before
    for document in before:
        assert_valid(series.model.collection, document)


def noted(made: list[Any]) -> Callable[[PublishedDocument], dict[str, Any]]:
    """Return how a document is stored, noting each that is."""
    store = PublishedDocument.to_mongo

    def to_mongo(document: PublishedDocument) -> dict[str, Any]:
        made.append(document)
        return store(document)

    return to_mongo


def test_a_new_session_touches_its_chunks_alone(
    lake: Lake, serving: Serving, database: MongoDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The running week's document moves to the new session, and the earlier one goes."""
    late = CLEAN.filter(pl.col("session") == LAST)
    change_clean(lake, f"DELETE FROM clean_prices WHERE session = '{LAST}'")
    for series in ALL_SERIES:
        publish(lake, serving, series)
    lake.commit(lambda writer: writer.merge(CLEAN_PRICES, late), night=night_of(), message="new")
    asked: list[Any] = []
    with monkeypatch.context() as watched:
        watched.setattr(DAILY_PRICE_SERIES.model, "to_mongo", noted(asked))
        daily = publish(lake, serving, as_of=NEXT_AS_OF)
    weekly = publish(lake, serving, WEEKLY_PRICE_SERIES, as_of=NEXT_AS_OF)
    assert daily.chunks_due == weekly.chunks_due == late.height
    assert len(asked) == late.height  # no bar of the month that stood already
    assert (daily.published.inserted, daily.published.deleted) == (late.height, 0)
    assert (weekly.published.inserted, weekly.published.deleted) == (late.height, late.height)
    others = Serving(uri=serving.uri, database=f"{serving.database}_anew")
    with others.connect() as anew:
        for series in ALL_SERIES:
            publish(lake, serving, series, as_of=NEXT_AS_OF)
            publish(lake, others, series)
            assert contents(database, series) == contents(anew, series)
        anew.client.drop_database(anew.name)


def test_what_is_found_of_a_bar_touches_its_chunk_alone(
    lake: Lake, serving: Serving, database: MongoDatabase
) -> None:
    """Scores come after prices: a bar that stays as it was must still be marked."""
    publish(lake, serving)
    found = {"symbol": "S0", "session": SESSIONS[9]}
    put(lake, "price_anomalies", **found, severity="medium", is_withheld=False)
    put(lake, "bar_scores", **found, isolation_score=0.8)
    report = publish(lake, serving, as_of=NEXT_AS_OF)
    assert (report.chunks_due, report.published.updated) == (1, 1)
    (bar,) = database["stock_price_daily"].find({"anomaly_severity": {"$ne": "normal"}})
    assert_valid("stock_price_daily", bar)
    assert (bar["anomaly_severity"], bar["iso_anomaly_score"]) == ("medium", 0.8)
    assert bar["anomaly_reasons"] == ["close halved"]


def contents(database: MongoDatabase, series: PriceSeries) -> dict[Any, str]:
    """Return the content hashes of a series' documents by `_id`."""
    return {one["_id"]: one["content_hash"] for one in stored(database, series)}


@ONE_OF_EACH
@pytest.mark.parametrize("loss", ["documents", "collection", "marks", "database"])
def test_what_was_lost_is_filled_in_by_the_next_night(
    lake: Lake, serving: Serving, database: MongoDatabase, series: PriceSeries, loss: str
) -> None:
    """A restored or another database has marks that are older than its documents, or none."""
    publish(lake, serving, series)
    before = contents(database, series)
    collection = database[series.model.collection]
    if loss == "documents":
        for document in stored(database, series)[:2]:
            collection.delete_one({"_id": document["_id"]})
    elif loss == "database":
        database.client.drop_database(database.name)
    else:
        database.drop_collection("publishing_marks" if loss == "marks" else collection.name)
    report = publish(lake, serving, series, as_of=NEXT_AS_OF)
    assert contents(database, series) == before
    assert report.chunks_due <= 2 if loss == "documents" else report.chunks_due == report.chunks
    assert publish(lake, serving, series).chunks_due == 0


@pytest.mark.parametrize("series", ALL_SERIES[1:], ids=lambda one: one.model.collection)
def test_marks_by_year_of_a_former_version_give_way_to_marks_by_month(
    lake: Lake, serving: Serving, database: MongoDatabase, series: PriceSeries
) -> None:
    """Weekly and monthly bars once moved by year: all are compared once, and none is written."""
    publish(lake, serving, replace(series, chunking=Chunking.YEAR))
    before = stored(database, series)
    first = publish(lake, serving, series, as_of=NEXT_AS_OF)
    again = publish(lake, serving, series, as_of=NEXT_AS_OF)
    assert (first.published.unchanged, first.published.deleted) == (len(before), 0)
    assert again.chunks_due == 0
    assert stored(database, series) == before


def test_a_symbol_that_the_backend_fetched_anew_is_taken_back(
    lake: Lake, serving: Serving, database: MongoDatabase
) -> None:
    """It deletes what it thinks stale and writes its own bars, without our annotations."""
    publish(lake, serving)
    before = contents(database, DAILY_PRICE_SERIES)
    collection = database["stock_price_daily"]
    theirs = [
        {name: bar[name] for name in ("symbol", "date", "open", "high", "low", "close", "volume")}
        for bar in collection.find({"symbol": "S0"})
    ]
    collection.delete_many({"symbol": "S0"})
    collection.insert_many(theirs)
    publish(lake, serving, as_of=NEXT_AS_OF)
    assert sorted(contents(database, DAILY_PRICE_SERIES).values()) == sorted(before.values())


def test_bars_that_are_no_longer_clean_go(
    lake: Lake, serving: Serving, database: MongoDatabase
) -> None:
    """Quarantined bars must not be in the backend's charts, nor a symbol without a clean bar."""
    publish(lake, serving)
    change_clean(lake, "DELETE FROM clean_prices WHERE symbol = 'S1'")
    change_clean(lake, f"DELETE FROM clean_prices WHERE session <= '{SESSIONS[7]}'")
    report = publish(lake, serving)
    kept = lake.read("SELECT symbol, session FROM clean_prices")
    documents = stored(database, DAILY_PRICE_SERIES)
    assert {(one["symbol"], one["date"].date()) for one in documents} == set(kept.iter_rows())
    assert report.published.documents == kept.height
    assert database["publishing_marks"].count_documents({"symbol": "S1"}) == 0
    assert publish(lake, serving).chunks_due == 0


def test_another_writers_bars_are_no_documents_of_ours(
    lake: Lake, serving: Serving, database: MongoDatabase
) -> None:
    """The backend keeps bars of symbols and sessions that we do not know."""
    publish(lake, serving)
    theirs: list[dict[str, Any]] = [
        {"symbol": "S0", "date": AS_OF},
        {"symbol": "ZZZ", "date": AS_OF},
        {"date": None},
    ]
    database["stock_price_daily"].insert_many(theirs)
    assert publish(lake, serving).chunks_due == 0


def test_another_model_is_compared_with_every_document(
    lake: Lake, serving: Serving, database: MongoDatabase
) -> None:
    """After an upgrade the documents must have the fields of today."""
    publish(lake, serving)
    report = publish(lake, serving, source="simulated")
    assert report.chunks_due == report.chunks
    assert report.published.updated == report.published.documents
    assert {one["source"] for one in stored(database, DAILY_PRICE_SERIES)} == {"simulated"}


def test_batches_hold_whole_symbols(
    lake: Lake, serving: Serving, database: MongoDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mark says that all of a symbol's chunks are there."""
    lines: list[str] = []
    monkeypatch.setattr(price_publishing, "BATCH_BARS", 10)
    publish(lake, serving, progress=lines.append)
    assert [line.rpartition(" ")[2] for line in lines] == ["S0", "S1", "S2"]
    assert publish(lake, serving).chunks_due == 0
    assert len(stored(database, DAILY_PRICE_SERIES)) == CLEAN.height


def test_our_documents_are_counted_from_the_index_alone(
    lake: Lake, serving: Serving, database: MongoDatabase
) -> None:
    """Reading millions of documents every night would take minutes."""
    publish(lake, serving)
    plan = database.command(
        "explain",
        {
            "aggregate": "stock_price_daily",
            "pipeline": price_publishing.count_stages(DAILY_PRICE_SERIES),
            "hint": DAILY_PRICE_SERIES.model.indexes[0].name,
            "cursor": {},
        },
        verbosity="executionStats",
    )
    statistics = plan.get("executionStats") or plan["stages"][0]["$cursor"]["executionStats"]
    assert statistics["totalDocsExamined"] == 0
    assert statistics["nReturned"] > 0
