"""The server dies in the middle of publishing: the rerun reaches the same end."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import AutoReconnect

from pipelines.documents.daily_price import DailyPrice
from resources import reconciliation
from resources.embedded_mongo import ensure_running, status, stop
from resources.mongodb import JOURNALED, ServingRefusedError
from resources.publishing_scope import PublishingScope
from resources.serving import Serving
from tests.support.documents import AS_OF, NEXT_AS_OF, prices
from tests.support.mongod import AfterEachWrite, wait_for_end

BATCH = 20


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A state folder whose mongod may be killed."""
    yield tmp_path
    stop(tmp_path)


def test_a_rerun_after_a_kill_reaches_the_same_end(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Acknowledged documents must be there after the crash, whole, and be found unchanged."""
    monkeypatch.setattr(reconciliation, "BATCH_DOCUMENTS", BATCH)
    uri = ensure_running(folder)
    running = status(folder)
    assert running is not None

    def kill() -> None:
        os.kill(running.pid, signal.SIGKILL)
        wait_for_end(running.pid)

    with (
        MongoClient[dict[str, Any]](
            uri, event_listeners=[AfterEachWrite(kill)], serverSelectionTimeoutMS=200
        ) as client,
        pytest.raises(AutoReconnect),
    ):
        reconciliation.reconcile(
            client.get_database("quant-service", write_concern=JOURNALED)["stock_price_daily"],
            DailyPrice,
            prices(3 * BATCH),
            scope=PublishingScope.of({}),
            as_of=AS_OF,
        )
    serving = Serving(state_folder=str(folder))
    assert serving.counts([DailyPrice]) == {"stock_price_daily": BATCH}
    rerun = serving.reconcile(DailyPrice, prices(3 * BATCH), scope={}, as_of=AS_OF)
    assert (rerun.unchanged, rerun.inserted) == (BATCH, 2 * BATCH)
    again = serving.reconcile(DailyPrice, prices(3 * BATCH), scope={}, as_of=NEXT_AS_OF)
    assert (again.unchanged, again.content_hash) == (3 * BATCH, rerun.content_hash)


def test_a_document_that_reads_back_different_stops_the_night(
    mongod_uri: str, database: Database[dict[str, Any]]
) -> None:
    """Two publishers at once must not both report success."""

    def meddle() -> None:
        database["stock_price_daily"].update_many({}, {"$set": {"close": 99.0}})

    with MongoClient[dict[str, Any]](
        mongod_uri, event_listeners=[AfterEachWrite(meddle)], tz_aware=True
    ) as client:
        collection = client[database.name]["stock_price_daily"]
        with pytest.raises(ServingRefusedError, match=r"reads back with another \['close'\]"):
            reconciliation.reconcile(
                collection, DailyPrice, prices(2), scope=PublishingScope.of({}), as_of=AS_OF
            )


def test_every_write_waits_for_the_journal(database: Database[dict[str, Any]]) -> None:
    """The database that publishing writes to is opened with this concern, not the driver's own."""
    assert database.write_concern.document["j"] is True
