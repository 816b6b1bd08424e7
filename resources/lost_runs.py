"""Runs whose process was killed: Dagster goes on taking them for running.

Such a run keeps its places in the pools, so that the next one would wait for it for ever. Dagster's
daemon frees them only where the code server that started the run lives and sees it die; nobody sees
a killed `make nightly`, or a power cut.
"""

import socket

import dagster as dg
from dagster import DagsterEventType, DagsterRunStatus

from resources.processes import has_ended, started_at

HOST_TAG = "nightdesk/host"
"""Machine that a command of ours runs on, for storage that several machines share."""

UNFINISHED = (DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING)
CLOCK_SLACK_SECONDS = 2.0
"""A process's start is known to a hundredth of a second, the clock may be set meanwhile."""


def host_tags() -> dict[str, str]:
    """Return the tag that says which machine a run is on."""
    return {HOST_TAG: socket.gethostname()}


def end_lost_runs(instance: dg.DagsterInstance, *, is_shared: bool) -> list[str]:
    """Mark runs as failed whose process is gone, give their pools back, and return their ids.

    Args:
        instance: Where the runs are recorded.
        is_shared: Other machines record runs there too; only runs that say that they are of this
            machine are judged, since a process can be seen on its own machine alone.
    """
    tags = host_tags() if is_shared else {}
    runs = instance.get_runs(dg.RunsFilter(statuses=list(UNFINISHED), tags=tags))
    lost = [run for run in runs if _is_lost(instance, run.run_id)]
    for run in lost:
        instance.report_run_failed(run, "its process was killed, or the machine went down")
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
    return [run.run_id for run in lost]


def _is_lost(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Return whether the process that a run said it was executed by is gone.

    A run that has not said so yet holds nothing.
    """
    records = instance.get_records_for_run(run_id, of_type=DagsterEventType.ENGINE_EVENT).records
    for record in records:
        event = record.event_log_entry.dagster_event
        pid = event.engine_event_data.metadata.get("pid") if event else None
        if pid is not None:
            return not _is_alive(int(str(pid.value)), at=record.event_log_entry.timestamp)
    return False


def _is_alive(pid: int, *, at: float) -> bool:
    """Return whether the process that had a number at some instant still lives.

    The number may have been given to another process since, which then began later.
    """
    began = started_at(pid)
    return began is not None and began <= at + CLOCK_SLACK_SECONDS and not has_ended(pid)
