"""What a person sees while a job runs: a line for each step and each message of ours."""

import time
import uuid

import dagster as dg
from dagster import DagsterEventType, EventLogEntry
from rich.console import Console

CONSOLE = Console(highlight=False)
QUIET_LOGGERS = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


class Progress:
    """Prints a run's steps as they begin and end; given to Dagster as an event listener."""

    def __init__(self) -> None:
        """Start with no step begun."""
        self._began: dict[str, float] = {}

    def __call__(self, entry: EventLogEntry) -> None:
        """Print what one event means to a person, if anything."""
        step = entry.step_key or ""
        event = entry.dagster_event
        if event is None:
            CONSOLE.print(f"      {entry.user_message}", style="dim", markup=False)
        elif event.event_type is DagsterEventType.STEP_START:
            self._began[step] = time.monotonic()
        elif event.event_type is DagsterEventType.STEP_SUCCESS:
            CONSOLE.print(f"  [green]✓[/green] {step} [dim]{self._seconds(step):.1f} s[/dim]")
        elif event.event_type is DagsterEventType.STEP_FAILURE:
            CONSOLE.print(f"  [red]✗ {step}[/red]")
            _print_failure(event)

    def _seconds(self, step: str) -> float:
        """Return how long a step has taken so far."""
        return time.monotonic() - self._began.get(step, time.monotonic())


def run_job(job: dg.JobDefinition, instance: dg.DagsterInstance, *, tags: dict[str, str]) -> bool:
    """Run a job in this process, with progress, recorded in the instance for the UI.

    Returns whether it succeeded; what failed has been printed.
    """
    run_id = str(uuid.uuid4())
    instance.add_event_listener(run_id, Progress())
    result = job.execute_in_process(
        run_config=QUIET_LOGGERS, instance=instance, run_id=run_id, tags=tags, raise_on_error=False
    )
    return result.success


def _print_failure(event: dg.DagsterEvent) -> None:
    """Print the sentence of what went wrong: the innermost cause, without the stack."""
    error = event.step_failure_data.error
    while error is not None and error.cause is not None:
        error = error.cause
    if error is not None:
        CONSOLE.print(f"    {error.message.strip()}", style="red", markup=False)
