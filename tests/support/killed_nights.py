"""Whole nights in processes of their own, which a test may kill at any moment.

Importing takes longer than the night itself. So one process imports everything once, opens nothing,
and forks a child for each night.
"""

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from uuid import uuid4

import dagster as dg
from dagster import DagsterEventType, EventLogEntry

from assets.partitions import PARTITION_TAG
from commands.console import QUIET_LOGGERS
from resources.dagster_home import prepare_dagster_home
from resources.lost_runs import end_lost_runs
from resources.provenance import code_version
from resources.serving import Serving
from resources.settings import PROJECT_ROOT, Settings
from tests.support.desk import LEARNED_FEATURES, Desk

HEAVY_MODULES = (
    *("catboost", "exchange_calendars", "great_expectations", "lightgbm", "matplotlib.pyplot"),
    *("mlflow.pyfunc", "mlflow.store.tracking.sqlalchemy_store", "pandas", "pymongo"),
    *("resources.alpha_vantage_transport", "resources.reconciliation", "sklearn.linear_model"),
    *("structlog", "upath"),
)
"""What a night imports on its way."""

FORK = multiprocessing.get_context("fork")


@dataclass(frozen=True)
class NightOrder:
    """A night to run: on which desk, published where, for which session."""

    folder: Path
    mongodb_uri: str
    database: str
    session: date


@dataclass(frozen=True)
class Moment:
    """A moment of a night: some seconds after a step began."""

    step: str
    seconds: float


@dataclass
class NightEnd:
    """How a night ended, and when each of its steps began (seconds of a clock of its own)."""

    began: dict[str, float] = field(default_factory=dict)
    ended: float = 0.0
    exit_code: int | None = None

    def seconds_by_step(self) -> dict[str, float]:
        """Return how long it took from the beginning of each step to that of the next."""
        ends = [*list(self.began.values())[1:], self.ended]
        return {step: end - self.began[step] for step, end in zip(self.began, ends, strict=True)}


@dataclass(frozen=True)
class NightProcesses:
    """Runs nights, one at a time, each in a process of its own."""

    orders: Connection

    def run(self, order: NightOrder, *, kill_at: Moment | None = None) -> NightEnd:
        """Run a night to its end, or until a moment at which it is killed."""
        self.orders.send((order, kill_at))
        end: NightEnd = self.orders.recv()
        return end


@contextmanager
def night_processes() -> Iterator[NightProcesses]:
    """Start the process that forks nights, and end it."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    server = spawn.Process(target=_serve, args=(theirs,))
    server.start()
    theirs.close()
    try:
        yield NightProcesses(ours)
    finally:
        ours.close()
        server.join()


def _serve(orders: Connection) -> None:
    """Fork a process for each order until nobody orders any more."""
    for module in HEAVY_MODULES:
        import_module(module)
    code_version(PROJECT_ROOT)  # kept: the files may be edited while the test runs
    while True:
        try:
            order, kill_at = orders.recv()
        except EOFError:
            return
        orders.send(_watch(order, kill_at))


def _watch(order: NightOrder, kill_at: Moment | None) -> NightEnd:
    """Run a night in a child, and kill it when its moment has come."""
    told, tell = FORK.Pipe(duplex=False)
    child = FORK.Process(target=_night, args=(order, tell))
    child.start()
    tell.close()  # so that the pipe ends with the child
    end = NightEnd()
    deadline: float | None = None
    while True:
        wait = None if deadline is None else max(0.0, deadline - time.monotonic())
        if not told.poll(wait):
            child.kill()
            deadline = None
            continue
        try:
            step = told.recv()
        except EOFError:
            break
        end.began[step] = time.monotonic()
        if kill_at and step == kill_at.step:
            deadline = end.began[step] + kill_at.seconds
    child.join()
    end.ended, end.exit_code = time.monotonic(), child.exitcode
    return end


def _night(order: NightOrder, tell: Connection) -> None:
    """Run the nightly job as `make nightly` does, telling each step that begins."""

    def on_event(entry: EventLogEntry) -> None:
        event = entry.dagster_event
        if event and event.event_type is DagsterEventType.STEP_START:
            tell.send(entry.step_key)

    prepare_dagster_home(Settings(NIGHTDESK_HOME=str(order.folder)))
    run_id = str(uuid4())
    with dg.DagsterInstance.get() as instance:
        end_lost_runs(instance, is_shared=False)
        instance.add_event_listener(run_id, on_event)
        serving = Serving(uri=order.mongodb_uri, database=order.database)
        desk = Desk(order.folder, serving, feature_groups=LEARNED_FEATURES, instance=instance)
        desk.definitions.resolve_job_def("nightly").execute_in_process(
            instance=instance,
            run_id=run_id,
            run_config=QUIET_LOGGERS,
            tags={PARTITION_TAG: order.session.isoformat()},
        )
