"""`make evaluate`: replay scenarios, the plan's and users', and say what they show of models."""

import argparse
import sys
from datetime import date

from commands.console import CONSOLE, run_job
from commands.instance import prepared_settings
from pipelines.documents.evaluation_run import EvaluationRun
from pipelines.evaluation.entries import documents_of
from pipelines.evaluation.tables import EVALUATION_REQUESTS, EVALUATIONS
from resources.lost_runs import host_tags
from resources.nights import Nights
from resources.settings import Settings
from resources.wiring import build_lake, build_market


def main() -> None:
    """Evaluate as a session's night knows it, and print a line for each scenario."""
    arguments = _arguments()
    settings = prepared_settings()

    import dagster as dg

    from assets.partitions import PARTITION_TAG
    from definitions import defs

    session = arguments.session or _newest_night(settings)
    tags = {PARTITION_TAG: session.isoformat(), **host_tags()}
    CONSOLE.print(f"[bold]evaluation[/bold]  {settings.market}, as the night of {session} knows it")
    with dg.DagsterInstance.get() as instance:
        failure = run_job(defs.resolve_job_def("evaluation"), instance, tags=tags)
    if failure:
        sys.exit("nightdesk: the evaluation failed; `make ui` shows its log")
    lake = build_lake(settings)
    held = lake.of_sessions(EVALUATIONS, [session])
    for one in documents_of(held, EvaluationRun):
        line = f"  {one.scenario_name}: {one.summary.compliance}. {one.summary.notes}"
        CONSOLE.print(line, markup=False)
    waited = lake.of_sessions(EVALUATION_REQUESTS, [session]).drop_nulls("answer")
    met = waited["reason"].null_count()
    CONSOLE.print(f"  runs of users: {met} answered, {waited.height - met} refused with a reason")
    page = settings.home / "reports" / settings.market / f"evaluation-{session}.html"
    CONSOLE.print(f"  report: {page}", markup=False)


def _newest_night(settings: Settings) -> date:
    """Return the session of the newest published night."""
    nights = Nights(lake=build_lake(settings), market=build_market(settings))
    newest = nights.newest_published()
    if newest is None:
        sys.exit("nightdesk: no night is published yet: run make nightly first")
    return newest


def _arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--session", type=_session, help="YYYY-MM-DD; default: the newest night's")
    return parser.parse_args()


def _session(text: str) -> date | None:
    """Read a date; an empty text, which make passes on for an unset variable, is none."""
    return date.fromisoformat(text) if text else None


if __name__ == "__main__":
    main()
