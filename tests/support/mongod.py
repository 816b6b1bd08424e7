"""A real mongod for tests: one for the whole session, a fresh database for each test."""

import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from pymongo import MongoClient
from pymongo.database import Database
from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)

from resources.embedded_mongo import ensure_running, stop
from resources.mongodb import connect
from resources.processes import has_ended
from resources.serving import Serving

KILL_SECONDS = 10.0


class AfterEachWrite(CommandListener):
    """Does something to the server, or to its data, between two commands of a publisher."""

    def __init__(self, action: Callable[[], None]) -> None:
        self.action = action

    def started(self, event: CommandStartedEvent) -> None:
        """Let commands start."""

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Step in once a batch of writes is acknowledged."""
        if event.command_name == "update":
            self.action()

    def failed(self, event: CommandFailedEvent) -> None:
        """Let commands fail."""


def wait_for_end(pid: int) -> None:
    """Return once a process that was killed is gone."""
    deadline = time.monotonic() + KILL_SECONDS
    while not has_ended(pid):
        assert time.monotonic() < deadline, f"process {pid} did not end"
        time.sleep(0.01)


@pytest.fixture(scope="session")
def mongod_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the test session's own mongod."""
    folder = tmp_path_factory.mktemp("state")
    yield ensure_running(folder)
    stop(folder)


@pytest.fixture
def database_name(mongod_uri: str) -> Iterator[str]:
    """Name of a database that nobody else uses; dropped afterwards."""
    name = f"test_{uuid4().hex}"
    yield name
    with MongoClient[dict[str, Any]](mongod_uri) as client:
        client.drop_database(name)


@pytest.fixture
def serving(mongod_uri: str, database_name: str) -> Serving:
    """The serving resource on the test's own database."""
    return Serving(uri=mongod_uri, database=database_name)


@pytest.fixture
def database(mongod_uri: str, database_name: str) -> Iterator[Database[dict[str, Any]]]:
    """The test's own database, to look into it and to write as somebody else."""
    with connect(mongod_uri, database_name, connect_seconds=5.0) as opened:
        yield opened
