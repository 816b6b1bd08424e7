"""Backfills that a daemon works off: the UI's as single runs, the command's a run a session."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import dagster as dg
import pytest
from pymongo import MongoClient

from assets.partitions import PARTITION_TAG, RANGE_END_TAG, RANGE_START_TAG
from pipelines.calendar import ExchangeCalendar
from resources.settings import Settings
from tests.support.backfills import DaemonDesk, daemon_desk, nightly_assets
from tests.support.desk import TRAINED_SESSION, Desk

SIXTY = ExchangeCalendar.of("XNYS").sessions(date(2004, 6, 1), TRAINED_SESSION)[-60:]
AFTER = ExchangeCalendar.of("XNYS").sessions(TRAINED_SESSION, date(2004, 9, 30))[1:3]
DATABASE = "backfilled_by_daemon"

Documents = list[dict[str, Any]]


@pytest.fixture(scope="module")
def desk(trained_desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonDesk]:
    """An empty desk with a daemon and the trained desk's models."""
    trained = Settings(NIGHTDESK_HOME=str(trained_desk.folder))
    with daemon_desk(
        tmp_path_factory.mktemp("daemon_desk"),
        MONGODB_URI=trained_desk.serving.uri,
        MONGODB_DATABASE=DATABASE,
        MLFLOW_TRACKING_URI=trained.tracking_uri,
    ) as opened:
        yield opened


@pytest.fixture
def database(mongod_uri: str) -> Iterator[Any]:
    """What the daemon's runs publish."""
    with MongoClient[dict[str, Any]](mongod_uri) as client:
        yield client[DATABASE]


def range_of(run: dg.DagsterRun) -> tuple[date, date]:
    """Return the first and the last session of a run for a range, or for the one it is cut to."""
    alone = run.tags.get(PARTITION_TAG)
    first, last = (run.tags.get(tag, alone) for tag in (RANGE_START_TAG, RANGE_END_TAG))
    assert first is not None
    assert last is not None
    return date.fromisoformat(first), date.fromisoformat(last)


def published(database: Any, sessions: Sequence[date]) -> tuple[Documents, Documents]:
    """Return the signals and the manifests of sessions; equal data and code make equal ones."""
    scope = {"session": {"$in": [session.isoformat() for session in sessions]}}
    signals, manifests = (
        list(database[name].find(scope).sort([("session", 1), ("_id", 1)]))
        for name in ("ml_signals", "pipeline_runs")
    )
    return signals, manifests


def of_session(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return what a manifest says that follows from its session alone."""
    kept = ("session", "as_of", "origin", "status", "model_versions", "stale_symbols")
    return {name: manifest[name] for name in kept} | {
        "signals": manifest["collections"]["ml_signals"]
    }


@pytest.mark.slow
def test_backfills_of_the_ui_are_single_runs(desk: DaemonDesk, database: Any) -> None:
    """State assets have no session: of the lineage, they make runs of their own, and the first."""
    runs = desk.await_backfill(desk.launch_assets(nightly_assets(), SIXTY))
    of_state = [run for run in runs if not {RANGE_START_TAG, PARTITION_TAG} & run.tags.keys()]
    of_ranges = [run for run in runs if run not in of_state]
    # More than one: some state follows what sessions publish. Each asset is made once all the same.
    made = [key for run in of_state for key in run.asset_selection or ()]
    assert len(made) == len(set(made)) > len(of_state)
    assert runs[-1] in of_state  # the newest stands first
    # The daemon cuts a range where some of its sessions' sources were done when it looked.
    assert 1 <= len(of_ranges) < len(SIXTY) / 4
    ranges = [range_of(run) for run in of_ranges]
    assert min(ranges)[0] == SIXTY[0]
    assert max(last for _, last in ranges) == SIXTY[-1]
    signals, manifests = published(database, SIXTY)
    wanted = {session.isoformat() for session in SIXTY}
    assert {one["session"] for one in signals} == wanted
    assert [one["session"] for one in manifests] == sorted(wanted)
    assert {one["origin"] for one in manifests} == {"backfill"}

    (again,) = desk.await_backfill(desk.launch_job("nightly", SIXTY))
    assert again.job_name == "nightly"
    assert range_of(again) == (SIXTY[0], SIXTY[-1])
    signals_again, manifests_again = published(database, SIXTY)
    assert signals_again == signals
    # The lineage brings state up to the newest session, the job to the range's last: what judges a
    # bar and what a forecast's record is made of differ, and signals may not.
    assert [of_session(one) for one in manifests_again] == [of_session(one) for one in manifests]


@pytest.mark.slow
def test_a_backfill_by_command_is_a_run_for_each_session(desk: DaemonDesk, database: Any) -> None:
    """Each may fail and be run again alone; the price is a process for each."""
    runs = desk.await_backfill(desk.launch_each("nightly", AFTER))
    wanted = [session.isoformat() for session in AFTER]
    assert sorted(run.tags[PARTITION_TAG] for run in runs) == wanted
    signals, manifests = published(database, AFTER)
    assert {one["session"] for one in signals} == set(wanted)
    assert [one["session"] for one in manifests] == wanted
