"""Publishing makes our documents in a scope exactly the night's set, and leaves others alone."""

from datetime import timedelta
from typing import Any

import pytest
from bson import Decimal128, ObjectId
from pymongo.database import Database

from pipelines.documents.base import PublishedDocument
from pipelines.documents.daily_price import DailyPrice, session_scope
from pipelines.documents.period_price import MonthlyPrice, WeeklyPrice
from pipelines.documents.pipeline_run import PipelineRun, PublishedCollection
from pipelines.documents.quarantined_price import QuarantinedPrice
from pipelines.documents.signal import MLSignal
from pipelines.documents.values import midnight_of
from resources.publishing_scope import PublishingScope
from resources.reconciliation import summary_query
from resources.serving import Serving
from tests.support.backend_contract import assert_valid
from tests.support.documents import (
    AS_OF,
    NEXT_AS_OF,
    SESSION,
    a_price,
    a_run,
    a_signal,
    prices,
)

MongoDatabase = Database[dict[str, Any]]


def stored(database: MongoDatabase, collection: str = "stock_price_daily") -> list[dict[str, Any]]:
    """Return all documents of a collection, ordered by `_id`."""
    return list(database[collection].find().sort("_id"))


def test_publishing_twice_writes_nothing_the_second_time(
    serving: Serving, database: MongoDatabase
) -> None:
    """A rerun, days later, must leave every byte as it was."""
    first = serving.reconcile(DailyPrice, prices(30), scope={}, as_of=AS_OF)
    before = stored(database)
    second = serving.reconcile(DailyPrice, prices(30)[::-1], scope={}, as_of=NEXT_AS_OF)
    assert (first.inserted, first.documents) == (30, 30)
    assert (second.inserted, second.updated, second.unchanged, second.deleted) == (0, 0, 30, 0)
    assert second.content_hash == first.content_hash
    assert stored(database) == before


def test_what_is_stored_is_valid_for_the_backend(serving: Serving, database: MongoDatabase) -> None:
    """The backend reads what MongoDB gives back, not what we meant to write."""
    serving.reconcile(DailyPrice, prices(3), scope={}, as_of=AS_OF)
    serving.reconcile(MLSignal, [a_signal()], scope={"session": SESSION}, as_of=AS_OF)
    for document in stored(database):
        assert_valid("stock_price_daily", document)
        assert document["created_at"] == document["updated_at"] == AS_OF
    (signal,) = stored(database, "ml_signals")
    assert_valid("payload.MLSignalInsight", signal)


def test_changed_content_is_updated_and_dated_by_its_night(
    serving: Serving, database: MongoDatabase
) -> None:
    """The backend tells fresh documents by updated_at; created_at never moves."""
    serving.reconcile(DailyPrice, prices(2), scope={}, as_of=AS_OF)
    changed = [a_price(close=10.6), prices(2)[1]]
    report = serving.reconcile(DailyPrice, changed, scope={}, as_of=NEXT_AS_OF)
    assert (report.updated, report.unchanged) == (1, 1)
    document = database["stock_price_daily"].find_one({"close": 10.6})
    assert document is not None
    assert (document["created_at"], document["updated_at"]) == (AS_OF, NEXT_AS_OF)


def test_documents_that_left_the_set_are_deleted_within_the_scope_only(
    serving: Serving, database: MongoDatabase
) -> None:
    """A quarantined bar must go; another session's signal must not."""
    earlier = SESSION - timedelta(days=1)
    signals = [a_signal("AAPL"), a_signal("IBM")]
    serving.reconcile(
        MLSignal, [a_signal("AAPL", earlier)], scope={"session": earlier}, as_of=AS_OF
    )
    serving.reconcile(MLSignal, signals, scope={"session": SESSION}, as_of=AS_OF)
    report = serving.reconcile(MLSignal, signals[:1], scope={"session": SESSION}, as_of=AS_OF)
    assert (report.unchanged, report.deleted) == (1, 1)
    kept = {(signal["symbol"], signal["session"]) for signal in stored(database, "ml_signals")}
    assert kept == {("AAPL", "2013-03-01"), ("AAPL", "2013-02-28")}


def test_an_empty_set_clears_our_documents(serving: Serving, database: MongoDatabase) -> None:
    """When all bars are quarantined, none may stay."""
    serving.reconcile(DailyPrice, prices(3), scope={}, as_of=AS_OF)
    report = serving.reconcile(DailyPrice, [], scope={}, as_of=AS_OF)
    assert (report.deleted, report.documents, stored(database)) == (3, 0, [])


def test_other_writers_documents_are_never_deleted(
    serving: Serving, database: MongoDatabase
) -> None:
    """The backend keeps bars of symbols that we do not know."""
    theirs = {"symbol": "ZZZ", "date": a_price().date, "close": 1.0}
    database["stock_price_daily"].insert_one(theirs)
    serving.reconcile(DailyPrice, prices(3), scope={}, as_of=AS_OF)
    serving.reconcile(DailyPrice, [], scope={}, as_of=AS_OF)
    assert stored(database) == [theirs]


def test_a_bar_that_the_backend_wrote_is_taken_over(
    serving: Serving, database: MongoDatabase
) -> None:
    """Two bars for one day would be charted twice; its id and fields of its own stay."""
    price = a_price()
    theirs = {"symbol": "AAPL", "date": price.date, "close": Decimal128("9"), "note": "kept"}
    identifier = database["stock_price_daily"].insert_one(theirs).inserted_id
    report = serving.reconcile(DailyPrice, [price], scope={}, as_of=AS_OF)
    (document,) = stored(database)
    assert (report.updated, report.inserted) == (1, 0)
    assert (document["_id"], document["note"]) == (identifier, "kept")
    assert (document["close"], document["publisher"]) == (10.5, "nightdesk")


def test_a_second_document_of_another_writer_is_left_and_reported(
    serving: Serving, database: MongoDatabase
) -> None:
    """It is not ours to delete, but somebody must learn of it."""
    price = a_price()
    serving.reconcile(DailyPrice, [price], scope={}, as_of=AS_OF)
    database["stock_price_daily"].insert_one({"symbol": "AAPL", "date": price.date})
    report = serving.reconcile(DailyPrice, [price], scope={}, as_of=AS_OF)
    assert (report.unchanged, report.foreign_duplicates) == (1, 1)
    assert len(stored(database)) == 2


def test_a_second_document_of_ours_is_deleted(serving: Serving, database: MongoDatabase) -> None:
    """A copied document would be charted twice and never updated again."""
    serving.reconcile(DailyPrice, [a_price()], scope={}, as_of=AS_OF)
    copy = stored(database)[0] | {"_id": ObjectId()}
    database["stock_price_daily"].insert_one(copy)
    report = serving.reconcile(DailyPrice, [a_price()], scope={}, as_of=AS_OF)
    assert (report.unchanged, report.deleted) == (1, 1)
    assert len(stored(database)) == 1


def test_what_a_person_noted_survives(serving: Serving, database: MongoDatabase) -> None:
    """Acknowledging is a person's word; a new revision must not take it back."""
    serving.reconcile(DailyPrice, [a_price()], scope={}, as_of=AS_OF)
    note = {"acknowledged": True, "resolved_at": NEXT_AS_OF}
    database["stock_price_daily"].update_one({}, {"$set": note})
    serving.reconcile(DailyPrice, [a_price(close=10.6)], scope={}, as_of=NEXT_AS_OF)
    (document,) = stored(database)
    assert document["close"] == 10.6
    assert document.items() >= note.items()


@pytest.mark.parametrize(
    "damage",
    [{"$set": {"close": 99.0}}, {"$unset": {"volume": 1}}, {"$set": {"symbol": "XXX"}}],
    ids=["changed", "removed", "key changed"],
)
def test_a_document_changed_behind_our_back_is_put_right(
    serving: Serving, database: MongoDatabase, damage: dict[str, Any]
) -> None:
    """Its hash field still looks right, so whole documents are compared."""
    serving.reconcile(DailyPrice, [a_price()], scope={"symbol": "AAPL"}, as_of=AS_OF)
    before = stored(database)
    database["stock_price_daily"].update_one({}, damage)
    serving.reconcile(DailyPrice, [a_price()], scope={"symbol": "AAPL"}, as_of=AS_OF)
    assert stored(database) == before


class PriceAfterUpgrade(DailyPrice):
    """Daily bars of a Nightdesk that has dropped two fields of an older one."""

    retired = frozenset({"vwap", "trades"})


@pytest.mark.parametrize("is_changed", [False, True], ids=["same content", "new content"])
def test_a_field_that_the_model_has_dropped_goes_and_a_strangers_stays(
    serving: Serving, database: MongoDatabase, is_changed: bool
) -> None:
    """A figure that nobody computes any more would be shown for ever as it last was."""
    serving.reconcile(DailyPrice, [a_price()], scope={}, as_of=AS_OF)
    before = stored(database)
    older = {"vwap": 10.2, "trades": 7, "note": "a stranger's", "acknowledged": True}
    database["stock_price_daily"].update_one({}, {"$set": older})
    bar = PriceAfterUpgrade.model_validate(
        a_price().model_dump() | ({"close": 10.6} if is_changed else {})
    )
    report = serving.reconcile(PriceAfterUpgrade, [bar], scope={}, as_of=NEXT_AS_OF)
    assert report.updated == 1
    (document,) = stored(database)
    assert document.keys() == before[0].keys() | {"note", "acknowledged"}
    again = serving.reconcile(PriceAfterUpgrade, [bar], scope={}, as_of=NEXT_AS_OF)
    assert again.unchanged == 1


def test_a_second_run_of_a_night_does_not_touch_its_manifest(
    serving: Serving, database: MongoDatabase
) -> None:
    """The manifest names the runs that wrote the documents, not those that only looked."""
    scope = {"night_id": "n1"}
    serving.reconcile(PipelineRun, [a_run(runs=["first"])], scope=scope, as_of=AS_OF)
    report = serving.reconcile(PipelineRun, [a_run(runs=["second"])], scope=scope, as_of=AS_OF)
    assert report.unchanged == 1
    assert stored(database, "pipeline_runs")[0]["runs"] == ["first"]


def test_two_documents_of_one_key_are_refused(serving: Serving) -> None:
    """The last one would win by chance."""
    with pytest.raises(ValueError, match="two documents for"):
        serving.reconcile(DailyPrice, [a_price(), a_price(close=10.1)], scope={}, as_of=AS_OF)


def test_documents_of_another_model_are_refused(serving: Serving) -> None:
    """A signal among the prices would poison every read of prices."""
    with pytest.raises(ValueError, match="a MLSignal is no DailyPrice"):
        serving.reconcile(DailyPrice, [a_signal()], scope={}, as_of=AS_OF)


def test_counts_leave_out_other_writers(serving: Serving, database: MongoDatabase) -> None:
    """The summary says what we published."""
    database["stock_price_daily"].insert_one({"symbol": "ZZZ"})
    serving.reconcile(DailyPrice, prices(2), scope={}, as_of=AS_OF)
    assert serving.counts([DailyPrice, MLSignal]) == {"stock_price_daily": 2, "ml_signals": 0}


def test_the_summary_of_a_scope_is_what_publishing_reported(
    serving: Serving, database: MongoDatabase
) -> None:
    """The manifest's hash must be the one that a rerun of the night comes to."""
    scope = session_scope(SESSION)
    serving.reconcile(DailyPrice, prices(3), scope={}, as_of=AS_OF)
    database["stock_price_daily"].insert_one({"symbol": "ZZZ"} | scope)
    report = serving.reconcile(DailyPrice, prices(1), scope=scope, as_of=AS_OF)
    assert serving.summaries({DailyPrice: scope}) == {
        "stock_price_daily": PublishedCollection(documents=1, content_hash=report.content_hash)
    }


@pytest.mark.parametrize("model", [DailyPrice, WeeklyPrice, MonthlyPrice, QuarantinedPrice])
def test_a_session_is_counted_without_a_look_at_other_sessions(
    serving: Serving, database: MongoDatabase, model: type[PublishedDocument]
) -> None:
    """A manifest that reads all bars of all years takes minutes."""
    serving.ensure_indexes([model])
    days = [midnight_of(SESSION - timedelta(days=back)) for back in range(50)]
    database[model.collection].insert_many(
        {"symbol": symbol, "date": day, "publisher": "nightdesk"} for day in days for symbol in "AB"
    )
    query = summary_query(model, PublishingScope.of(session_scope(SESSION)))
    plan = database.command("explain", {"find": model.collection, "filter": query})
    assert plan["executionStats"]["nReturned"] == 2
    assert plan["executionStats"]["totalDocsExamined"] == 2
    assert plan["executionStats"]["totalKeysExamined"] < 10
