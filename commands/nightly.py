"""`make nightly`: run the night of a session, training first where a model is missing."""

import argparse
import sys
from datetime import UTC, date, datetime

from commands.console import CONSOLE, Failure, run_job
from commands.instance import prepared_settings
from commands.summary import print_summary
from pipelines.alerts import run_failed
from pipelines.features.catalogue import SIGNAL_GROUPS
from pipelines.features.groups import features_version
from pipelines.regimes.settings import RegimeSettings
from pipelines.signals.retraining import reason_to_train
from pipelines.validation.splits import HistoryTooShortError
from resources.lost_runs import end_lost_runs, host_tags
from resources.market import Market
from resources.model_drift import drift_since
from resources.regime_fits import why_fit_first
from resources.settings import Settings
from resources.wiring import build_lake, build_market, build_model_registry, build_webhook


def main() -> None:
    """Run a night, or a range of nights in one run, and show what was published."""
    arguments = _arguments()
    settings = prepared_settings()

    import dagster as dg

    from assets.partitions import PARTITION_TAG, RANGE_END_TAG, RANGE_START_TAG
    from definitions import defs

    market = build_market(settings)
    last = arguments.session or market.last_completed_session()
    first = arguments.since or last
    tags = (
        {PARTITION_TAG: last.isoformat()}
        if first == last
        else {RANGE_START_TAG: first.isoformat(), RANGE_END_TAG: last.isoformat()}
    )
    tags |= host_tags()
    CONSOLE.print(f"[bold]Nightdesk[/bold]  {market.name}, session {last}, state {settings.home}")
    with dg.DagsterInstance.get() as instance:
        end_lost_runs(instance, is_shared=settings.dagster_database is not None)
        if reason := _reason_to_train(settings, market, last):
            CONSOLE.print(f"\n[bold]training[/bold]  {reason}")
            failure = run_job(defs.resolve_job_def("training"), instance, tags=tags)
            _require_models("training", failure, settings, last)
        CONSOLE.print("\n[bold]nightly[/bold]")
        failure = run_job(defs.resolve_job_def("nightly"), instance, tags=tags)
        _require("nightly", failure, settings, last)
    print_summary(settings, last)


def _reason_to_train(settings: Settings, market: Market, session: date) -> str | None:
    """Return why models should be trained before a night; None where they need not."""
    trained_through = build_model_registry(settings).trained_through(
        market.name, session, features_version=features_version(SIGNAL_GROUPS)
    )
    reason = reason_to_train(trained_through, session, calendar=market.calendar)
    if reason or trained_through is None:
        return reason
    lake = build_lake(settings)
    return drift_since(lake, trained_through, session) or why_fit_first(
        lake, session, calendar=market.calendar, settings=RegimeSettings()
    )


def _arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--session", type=_session, help="YYYY-MM-DD; default: the last completed")
    parser.add_argument("--since", type=_session, help="first session of a range that ends there")
    return parser.parse_args()


def _session(text: str) -> date | None:
    """Read a date; an empty text, which make passes on for an unset variable, is none."""
    return date.fromisoformat(text) if text else None


def _require_models(job: str, failure: Failure | None, settings: Settings, session: date) -> None:
    """Go on without models where the history is too short for them, as a new desk's is."""
    if failure and failure.error == HistoryTooShortError.__name__:
        CONSOLE.print("      the night goes on without a model: every signal abstains")
    else:
        _require(job, failure, settings, session)


def _require(job: str, failure: Failure | None, settings: Settings, session: date) -> None:
    """End the command where a job failed, and call the webhook: no sensor sees this run."""
    if failure is None:
        return
    alert = run_failed(
        job, market=settings.market, session=session, message=str(failure), at=datetime.now(UTC)
    )
    build_webhook(settings).process_config_and_initialize().send(alert)
    sys.exit("nightdesk: the run failed; `make ui` shows its log, running again resumes it")


if __name__ == "__main__":
    main()
