"""MongoDB goes away for a moment while a night publishes: the night ends well by itself."""

import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from threading import Timer

import dagster as dg
import pytest
from pymongo import MongoClient
from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)

from assets.groups import Group
from commands.console import Progress
from resources import mongodb
from resources.embedded_mongo import ensure_running, status, stop
from resources.serving import Serving
from tests.support.desk import TRAINED_SESSION, Desk
from tests.support.mongod import wait_for_end

AWAY_SECONDS = 0.5
PAUSE_SECONDS = 0.05
ENOUGH_RETRIES = 12
"""Pauses double: twelve of them last 200 seconds, however slowly a server starts."""


class TakesTheServerAway(CommandListener):
    """Kills a mongod at the first write to each of some collections; starts it a moment later."""

    def __init__(self, folder: Path, *collections: str) -> None:
        self.folder = folder
        self.to_come = set(collections)
        self.timers: list[Timer] = []

    def started(self, event: CommandStartedEvent) -> None:
        """Kill the server before it has heard of the write."""
        collection = event.command.get("update")
        if collection not in self.to_come:
            return
        self.to_come.remove(collection)
        running = status(self.folder)
        assert running is not None
        os.kill(running.pid, signal.SIGKILL)
        wait_for_end(running.pid)
        self.timers.append(Timer(AWAY_SECONDS, ensure_running, [self.folder]))
        self.timers[-1].start()

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Let commands succeed."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Let commands fail."""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A state folder whose mongod may be killed."""
    yield tmp_path
    stop(tmp_path)


def publish(desk: Desk, serving: Serving) -> dg.ExecuteInProcessResult:
    """Publish the trained desk's night elsewhere."""
    return Desk(folder=desk.folder, serving=serving).run_group(Group.PUBLISHING, TRAINED_SESSION)


def repeated_steps(result: dg.ExecuteInProcessResult) -> set[str | None]:
    """Return the steps that were put back to be tried again."""
    events = result.filter_events(lambda event: event.is_step_up_for_retry)
    return {event.step_key for event in events}


@pytest.mark.slow
def test_a_night_waits_for_a_server_that_comes_back(
    trained_desk: Desk, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A restart of the backend's MongoDB at night would fetch someone out of bed."""
    uri = ensure_running(folder)
    serving = Serving(
        uri=uri, database="comes_back", retries=ENOUGH_RETRIES, retry_seconds=PAUSE_SECONDS
    )
    thief = TakesTheServerAway(folder, "stock_price_daily", "ml_signals", "pipeline_runs")
    monkeypatch.setattr(mongodb, "MongoClient", partial(MongoClient, event_listeners=[thief]))
    result = publish(trained_desk, serving)
    for timer in thief.timers:
        timer.join()
    assert result.success
    assert not thief.to_come
    assert repeated_steps(result) == {"published_prices", "published_signals", "night_manifest"}
    disturbed = Desk(folder=trained_desk.folder, serving=serving).documents()
    undisturbed = Serving(uri=uri, database="never_away")
    assert publish(trained_desk, undisturbed).success
    expected = Desk(folder=trained_desk.folder, serving=undisturbed).documents()
    for manifest in (*disturbed["pipeline_runs"], *expected["pipeline_runs"]):
        manifest.pop("runs")
    assert disturbed == expected


def test_a_server_that_stays_away_fails_the_night_with_its_sentence(
    trained_desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """Dagster's own words are "Exceeded max_retries of 2": nobody would know what to start."""
    serving = Serving(
        uri="mongodb://127.0.0.1:1/", connect_seconds=0.1, retries=2, retry_seconds=0.01
    )
    publisher = Desk(folder=trained_desk.folder, serving=serving)
    result = publisher.run_group(Group.PUBLISHING, TRAINED_SESSION)
    assert not result.success
    progress = Progress()
    for entry in publisher.instance.all_logs(result.run_id):
        progress(entry)
    assert progress.failure is not None
    assert "no MongoDB answers at mongodb://127.0.0.1:1/" in progress.failure.message
    printed = capsys.readouterr().out
    assert printed.count(f"↻ {progress.failure.step}") == 2
    assert printed.count("no MongoDB answers") >= 3


def test_a_refused_user_is_asked_for_once(trained_desk: Desk, mongod_uri: str) -> None:
    """Repeating a wrong password locks the user out on some servers."""
    uri = mongod_uri.replace("//", "//desk:s3cret@")
    result = publish(trained_desk, Serving(uri=uri, retry_seconds=0.01))
    assert not result.success
    assert repeated_steps(result) == set()
