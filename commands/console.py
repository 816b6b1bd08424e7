"""What a person sees while a job runs: a line for each step and each message of ours."""

import time
import uuid
from dataclasses import dataclass
from typing import Any

import dagster as dg
from dagster import DagsterEventType, EventLogEntry
from dagster_shared.error import SerializableErrorInfo
from rich.console import Console

CONSOLE = Console(highlight=False, soft_wrap=True)
"""A line is as long as its text: a terminal breaks it better than we do, a log not at all."""
QUIET_LOGGERS = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True)
class Failure:
    """Why a run failed: the step, the class of its error, and the sentence that says it."""

    step: str
    error: str
    message: str

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.step}: {self.message}"


class Progress:
    """Prints a run's steps as they begin and end; given to Dagster as an event listener."""

    def __init__(self, *, shows_steps: bool = True) -> None:
        """Start with no step begun; where many runs follow each other, only failures are shown."""
        self._shows_steps = shows_steps
        self._began: dict[str, float] = {}
        self.failure: Failure | None = None

    def __call__(self, entry: EventLogEntry) -> None:
        """Print what one event means to a person, if anything."""
        step = entry.step_key or ""
        event = entry.dagster_event
        if event is None:
            self._print(f"      {entry.user_message}", style="dim", markup=False)
        elif event.event_type is DagsterEventType.STEP_START:
            self._began[step] = time.monotonic()
        elif event.event_type is DagsterEventType.STEP_SUCCESS:
            self._print(f"  [green]✓[/green] {step} [dim]{self._seconds(step):.1f} s[/dim]")
        elif event.event_type is DagsterEventType.STEP_UP_FOR_RETRY:
            retry = event.step_retry_data
            pause = f"tried again in {retry.seconds_to_wait or 0:g} s"
            CONSOLE.print(f"  [yellow]↻[/yellow] {step} [dim]{pause}[/dim]")
            CONSOLE.print(f"    {_failure(step, retry.error).message}", markup=False)
        elif event.event_type is DagsterEventType.STEP_FAILURE:
            CONSOLE.print(f"  [red]✗ {step}[/red]")
            self.failure = _failure(step, event.step_failure_data.error)
            CONSOLE.print(f"    {self.failure.message}", style="red", markup=False)

    def _print(self, line: str, **how: Any) -> None:
        """Print a line that tells of no failure."""
        if self._shows_steps:
            CONSOLE.print(line, **how)

    def _seconds(self, step: str) -> float:
        """Return how long a step has taken so far."""
        return time.monotonic() - self._began.get(step, time.monotonic())


def run_job(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    *,
    tags: dict[str, str],
    shows_steps: bool = True,
) -> Failure | None:
    """Run a job in this process, with progress, recorded in the instance for the UI.

    Returns what failed, which has been printed; None where all went well.
    """
    run_id = str(uuid.uuid4())
    progress = Progress(shows_steps=shows_steps)
    instance.add_event_listener(run_id, progress)
    result = job.execute_in_process(
        run_config=QUIET_LOGGERS, instance=instance, run_id=run_id, tags=tags, raise_on_error=False
    )
    if result.success:
        return None
    return progress.failure or Failure(job.name, "", "the run did not succeed")


def _failure(step: str, error: SerializableErrorInfo | None) -> Failure:
    """Return the innermost cause of a step's failure, without the stack."""
    while error is not None and error.cause is not None:
        error = error.cause
    if error is None:
        return Failure(step, "", "no reason given")
    return Failure(step, error.cls_name or "", error.message.strip())
