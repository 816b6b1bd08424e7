"""Desks whose runs a real daemon launches, each in a process of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus

from assets.groups import Group
from resources.dagster_home import prepare_dagster_home
from resources.processes import descendants, has_ended
from resources.settings import PROJECT_ROOT, Settings

TOOLS = Path(sys.executable).parent
PATIENCE_SECONDS = 900.0
"""A machine that is busy with other things takes its time; what hangs ends all the same."""
POLL_SECONDS = 0.5
LAUNCHED = {BulkActionStatus.COMPLETED, BulkActionStatus.COMPLETED_SUCCESS}
"""The command's backfill is complete once its runs are queued, the UI's once they have ended."""
FAILED = {BulkActionStatus.COMPLETED_FAILED, BulkActionStatus.FAILED, BulkActionStatus.CANCELED}
NOT_INHERITED = {"DAGSTER_HOME", "ALPHA_VANTAGE_API_KEY", "NIGHTDESK_WEBHOOK_URL"}

IMPATIENT_DAEMON = """
from dagster._daemon import controller
from dagster._daemon.cli import main
controller.DEFAULT_DAEMON_INTERVAL_SECONDS = 1
main()
"""
"""Dagster's daemon, which looks at backfills every second and not every 30."""

LAUNCH_BACKFILL = """
mutation Backfill($parameters: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $parameters) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
    ... on PartitionSetNotFoundError { message }
  }
}
"""
"""What the UI sends when sessions of assets or of a job are materialized."""


@dataclass(frozen=True)
class DaemonDesk:
    """A state folder, the environment that points processes at it, and its Dagster instance."""

    folder: Path
    environment: Mapping[str, str]
    instance: dg.DagsterInstance

    def call(self, tool: str, *arguments: str) -> str:
        """Run one of Dagster's commands in the project's root; return what it prints."""
        done = subprocess.run(
            [str(TOOLS / tool), *arguments],
            cwd=PROJECT_ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def launch_assets(self, names: Sequence[str], sessions: Sequence[date]) -> str:
        """Ask for sessions of assets as the UI's lineage does; return the backfill's id."""
        return self._launch({"assetSelection": [{"path": [name]} for name in names]}, sessions)

    def launch_job(self, name: str, sessions: Sequence[date]) -> str:
        """Ask for sessions of a job as its page in the UI does; return the backfill's id."""
        repository = {
            "repositoryLocationName": "nightdesk",
            "repositoryName": "__repository__",
        }
        selector = {"partitionSetName": f"{name}_partition_set", "repositorySelector": repository}
        return self._launch({"selector": selector}, sessions)

    def launch_each(self, job: str, sessions: Sequence[date]) -> str:
        """Queue a run of a job for each session by command; return the backfill's id."""
        span = ["--from", sessions[0].isoformat(), "--to", sessions[-1].isoformat()]
        self.call(
            "dagster", "job", "backfill", "-w", "workspace.yaml", "-j", job, *span, "--noprompt"
        )
        return self.instance.get_backfills(limit=1)[0].backfill_id

    def await_backfill(self, backfill_id: str) -> list[dg.DagsterRun]:
        """Wait until a backfill has ended well; return its runs."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            backfill = self.instance.get_backfill(backfill_id)
            runs = self.instance.get_runs(dg.RunsFilter.for_backfill(backfill_id))
            failed = [run.run_id for run in runs if run.status is dg.DagsterRunStatus.FAILURE]
            assert not failed, f"runs {failed} of the backfill failed"
            assert backfill is not None
            assert backfill.status not in FAILED, f"{backfill.status}: {backfill.error}"
            if backfill.status in LAUNCHED and all(run.is_finished for run in runs):
                return list(runs)
            time.sleep(POLL_SECONDS)
        message = f"backfill {backfill_id} did not end in {PATIENCE_SECONDS:.0f} s"
        raise AssertionError(message)

    def _launch(self, target: Mapping[str, object], sessions: Sequence[date]) -> str:
        """Send the UI's request for a backfill; return the backfill's id."""
        names = [session.isoformat() for session in sessions]
        variables = json.dumps({"parameters": {**target, "partitionNames": names}})
        answer = self.folder / "answer.json"
        arguments = ["-w", "workspace.yaml", "-t", LAUNCH_BACKFILL, "-v", variables]
        self.call("dagster-graphql", *arguments, "-o", str(answer))
        launched = json.loads(answer.read_text())["data"]["launchPartitionBackfill"]
        assert "backfillId" in launched, launched
        return str(launched["backfillId"])


@contextmanager
def daemon_desk(folder: Path, **settings: str) -> Iterator[DaemonDesk]:
    """Give a desk with a daemon that launches its runs; everything is ended at the end."""
    kept = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", "")  # put back afterwards, whatever is set meanwhile
        home = prepare_dagster_home(Settings(NIGHTDESK_HOME=str(folder)))
    environment = kept | {"NIGHTDESK_HOME": str(folder), "DAGSTER_HOME": str(home)} | settings
    daemon = subprocess.Popen(
        [sys.executable, "-c", IMPATIENT_DAEMON, "run", "-w", "workspace.yaml"],
        cwd=PROJECT_ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        with dg.DagsterInstance.from_config(str(home)) as instance:
            yield DaemonDesk(folder, environment, instance)
    finally:
        end_with_children(daemon)


def end_with_children(process: subprocess.Popen[bytes]) -> None:
    """End a server of Dagster with its code server and the runs that it has launched."""
    # Listed first: children of an ended process belong to nobody and would not be found.
    processes = [process.pid, *descendants(process.pid)]
    for pid in processes:
        if not has_ended(pid):
            os.kill(pid, signal.SIGKILL)
    process.wait()


def nightly_assets() -> list[str]:
    """Return the names of the assets of a night, as the UI's graph shows them."""
    from definitions import defs

    groups = [group for group in Group if group is not Group.TRAINING]
    keys = dg.AssetSelection.groups(*groups).resolve(defs.resolve_asset_graph())
    return sorted(key.to_user_string() for key in keys)
