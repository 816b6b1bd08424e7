"""The server is killed while a night publishes; the night run again ends as if it never was."""

import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)

from assets.groups import Group
from resources import mongodb, reconciliation
from resources.embedded_mongo import ensure_running, status, stop
from resources.serving import Serving
from tests.support.desk import TRAINED_SESSION, Desk
from tests.support.mongod import wait_for_end

Documents = dict[str, list[dict[str, Any]]]
POINTS = [
    ("stock_price_daily", 2),
    ("publishing_marks", 1),
    ("stock_price_weekly", 1),
    ("ml_signals", 1),
    ("pipeline_runs", 1),
]


class KillsTheServer(CommandListener):
    """Kills a state folder's mongod once, when a collection is written to for the nth time."""

    def __init__(self, folder: Path, collection: str, *, at_write: int) -> None:
        self.folder = folder
        self.collection = collection
        self.writes_to_go = at_write

    def started(self, event: CommandStartedEvent) -> None:
        """Kill the server before it has heard of the write."""
        if event.command_name == "update" and event.command["update"] == self.collection:
            self.writes_to_go -= 1
            if self.writes_to_go == 0:
                self._kill()

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Let commands succeed."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Let commands fail."""

    def _kill(self) -> None:
        """Take the server away without a warning."""
        running = status(self.folder)
        assert running is not None
        os.kill(running.pid, signal.SIGKILL)
        wait_for_end(running.pid)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A state folder whose mongod may be killed."""
    yield tmp_path
    stop(tmp_path)


def publish(desk: Desk, folder: Path) -> bool:
    """Publish the trained desk's night into the folder's mongod; return whether all went well."""
    publisher = Desk(folder=desk.folder, serving=Serving(state_folder=str(folder), retries=0))
    return publisher.run_group(Group.PUBLISHING, TRAINED_SESSION).success


def documents(folder: Path) -> Documents:
    """Return everything that was published, without the runs that did it."""
    with MongoClient[dict[str, Any]](ensure_running(folder), tz_aware=True) as client:
        database = client["quant-service"]
        found = {
            name: list(database[name].find().sort("_id"))
            for name in sorted(database.list_collection_names())
        }
        client.drop_database("quant-service")
    for manifest in found["pipeline_runs"]:
        manifest.pop("runs")
    return found


@pytest.mark.slow
def test_a_night_whose_server_was_killed_ends_as_if_it_never_was(
    trained_desk: Desk, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the moment: prices, marks, signals or the manifest."""
    monkeypatch.setattr(reconciliation, "BATCH_DOCUMENTS", 500)
    assert publish(trained_desk, folder)
    undisturbed = documents(folder)
    assert all(undisturbed[collection] for collection, _ in POINTS)
    for collection, at_write in POINTS:
        killer = KillsTheServer(folder, collection, at_write=at_write)
        with monkeypatch.context() as patch:
            patch.setattr(
                mongodb,
                "MongoClient",
                partial(MongoClient, event_listeners=[killer], retryWrites=False),
            )
            assert not publish(trained_desk, folder)
        assert killer.writes_to_go <= 0
        assert publish(trained_desk, folder)
        assert documents(folder) == undisturbed, collection
