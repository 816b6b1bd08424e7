"""Runs whose process was killed: told apart from those that go on, and their pools given back."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster import DagsterRunStatus
from dagster._core.events import EngineEventData

import resources.settings
from definitions import defs
from resources.lost_runs import HOST_TAG, end_lost_runs, host_tags
from resources.processes import started_at
from schedules.lost_runs import lost_runs

POOL = "lake"


@dg.op
def nothing() -> None:
    """Do nothing: only the run's record matters."""


@dg.job
def short_job() -> None:
    """A job of one step."""
    nothing()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """An instance with a pool of one."""
    with dg.DagsterInstance.ephemeral() as made:
        made.event_log_storage.set_concurrency_slots(POOL, 1)
        yield made


@pytest.fixture
def dead_pid() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def started_run(instance: dg.DagsterInstance, pid: int, **tags: Any) -> str:
    """Record a run that a process executes and that holds the pool; return its id."""
    run = instance.create_run_for_job(short_job, tags=tags, status=DagsterRunStatus.STARTED)
    told = EngineEventData.in_process(pid)
    instance.report_engine_event("Executing steps in process", run, told)
    instance.event_log_storage.claim_concurrency_slot(POOL, run.run_id, "nothing")
    return run.run_id


def holders(instance: dg.DagsterInstance) -> list[str]:
    """Return the runs that hold the pool."""
    info = instance.event_log_storage.get_concurrency_info(POOL)
    return [slot.run_id for slot in info.claimed_slots]


def test_a_killed_run_gives_its_pool_back(instance: dg.DagsterInstance, dead_pid: int) -> None:
    """The next night would wait for it for ever."""
    lost = started_run(instance, dead_pid)
    assert holders(instance) == [lost]
    assert end_lost_runs(instance, is_shared=False) == [lost]
    assert holders(instance) == []
    run = instance.get_run_by_id(lost)
    assert run is not None
    assert run.status is DagsterRunStatus.FAILURE
    assert end_lost_runs(instance, is_shared=False) == []


def test_a_run_that_goes_on_keeps_its_pool(instance: dg.DagsterInstance) -> None:
    """Two nights would write at once."""
    running = started_run(instance, os.getpid())
    assert end_lost_runs(instance, is_shared=False) == []
    assert holders(instance) == [running]


def test_runs_of_other_machines_are_left_alone(instance: dg.DagsterInstance, dead_pid: int) -> None:
    """Their processes can't be seen from here."""
    started_run(instance, dead_pid, **{HOST_TAG: "elsewhere"})
    started_run(instance, dead_pid)
    ours = started_run(instance, dead_pid, **host_tags())
    assert end_lost_runs(instance, is_shared=True) == [ours]


def test_the_sensor_ends_lost_runs_and_names_them(
    instance: dg.DagsterInstance, dead_pid: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under the daemon nobody runs `make nightly`: without it a killed run holds the lake."""
    monkeypatch.setattr(resources.settings, "DOTENV", Path("none.env"))
    monkeypatch.delenv("NIGHTDESK_DAGSTER_DATABASE", raising=False)
    lost = started_run(instance, dead_pid)

    def tick() -> str | None:
        answer = lost_runs(dg.build_sensor_context(instance=instance))
        assert isinstance(answer, dg.SkipReason)
        return answer.skip_message

    assert tick() == f"ended {lost}"
    running = started_run(instance, os.getpid())
    assert holders(instance) == [running]
    assert tick() == "every run has its process"
    assert lost_runs in list(defs.sensors or [])
    assert lost_runs.default_status is dg.DefaultSensorStatus.RUNNING


def test_the_start_of_a_process_is_known(dead_pid: int) -> None:
    """A number that was given to another process would keep a dead run alive."""
    own = started_at(os.getpid())
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as later:
        began = started_at(later.pid)
        assert own is not None
        assert began is not None
        assert own < began
    assert started_at(dead_pid) is None
