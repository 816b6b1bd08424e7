"""`make build-features`: feature tables that are empty, built by several processes or machines."""

import argparse
import subprocess
import sys
from collections.abc import Sequence

import dagster as dg

from commands.instance import prepared_settings
from pipelines.derivations import TableUpdate
from pipelines.features.catalogue import SIGNAL_GROUPS
from pipelines.features.groups import FeatureGroup
from pipelines.features.inputs import reads_market
from pipelines.features.market_returns import MARKET_RETURNS_DERIVATION
from pipelines.nights import Night, open_night
from resources.feature_parts import Part, UnusablePartError, build_part, finish_parts
from resources.lake import Lake
from resources.lake_errors import LakeError
from resources.lost_runs import UNFINISHED
from resources.settings import Settings
from resources.wiring import build_lake, build_market, build_resources


def main() -> None:
    """Build a part, put parts together, or do all of it with some processes of this machine."""
    arguments = _arguments()
    settings = prepared_settings()
    try:
        _require_no_run()
        if arguments.part:
            _build(settings, Part.parse(arguments.part))
        elif arguments.finish:
            _finish(settings, arguments.finish)
        else:
            _build_all(settings, arguments.workers)
    except (UnusablePartError, LakeError) as error:
        sys.exit(f"nightdesk: {error}")


def _build(settings: Settings, part: Part) -> None:
    """Build a part and print what it holds."""
    lake, groups = build_lake(settings), _groups(settings)
    _report(build_part(lake, groups, part, night=_night(settings, lake)), part)


def _finish(settings: Settings, of: int) -> None:
    """Put all parts together."""
    of = Part.parse(f"1/{of}").of
    lake, groups = build_lake(settings), _groups(settings)
    finish_parts(lake, groups, of=of, night=_night(settings, lake))
    print(f"{len(groups)} tables are built; the next night follows what changes", flush=True)


def _build_all(settings: Settings, workers: int) -> None:
    """Let processes of this machine build a part each, and put the parts together."""
    parts = [f"{number}/{workers}" for number in range(1, Part.parse(f"1/{workers}").of + 1)]
    lake, groups = build_lake(settings), _groups(settings)
    if any(reads_market(group.inputs) for group in groups):
        lake.bring_up_to_date(MARKET_RETURNS_DERIVATION, night=_night(settings, lake))
    command = [sys.executable, "-m", "commands.build_features", "--part"]
    running = {
        part: subprocess.Popen([*command, part])  # noqa: S603  the command is ours, word by word
        for part in parts
    }
    failed = [part for part, process in running.items() if process.wait()]
    if failed:
        message = f"parts {', '.join(failed)} failed, as told above; run this again to build them"
        raise UnusablePartError(message)
    _finish(settings, workers)


def _require_no_run() -> None:
    """Raise where a night runs, which would fill the same tables."""
    with dg.DagsterInstance.get() as instance:
        runs = instance.get_runs(dg.RunsFilter(statuses=list(UNFINISHED)))
    if runs:
        message = f"run {runs[0].run_id} ({runs[0].job_name}) is under way: let it end first"
        raise UnusablePartError(message)


def _groups(settings: Settings) -> tuple[FeatureGroup, ...]:
    """Return the groups that the desk computes."""
    return (*SIGNAL_GROUPS, *build_resources(settings)["feature_choice"].optional_groups())


def _night(settings: Settings, lake: Lake) -> Night:
    """Return the night of the newest clean bar, for the words of commits."""
    session = lake.read("SELECT max(session) FROM clean_prices").item()
    if session is None:
        message = "the lake has no clean bar yet: `make nightly` loads them"
        raise UnusablePartError(message)
    market = build_market(settings)
    as_of = market.calendar.known_at(session)
    return open_night(market.name, session, calendar=market.calendar, as_of=as_of)


def _report(updates: Sequence[TableUpdate], part: Part) -> None:
    """Print what a part holds."""
    rows = sum(update.inserted for update in updates)
    words = f"{rows:,} rows in {len(updates)} tables" if updates else "nothing left to build"
    print(f"part {part.number}/{part.of}: {words}", flush=True)


def _arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--workers", type=int, default=2, help="processes of this machine")
    parser.add_argument("--part", default="", help="build one part alone, as 1/4")
    parser.add_argument("--finish", type=int, default=0, help="put so many parts together")
    return parser.parse_args()


if __name__ == "__main__":
    main()
