"""`make replay SESSION=...`: make a past night's documents again, and compare them to the byte."""

import argparse
import sys
from datetime import date
from typing import Any

from commands.console import CONSOLE, Failure, run_job
from commands.instance import prepared_settings
from jobs.replay import REPLAYED
from pipelines.lifecycle.replay import Compared, OtherCodeError, require_same_code
from pipelines.signals.settings import SignalSettings
from resources.nights import Nights, UnopenedNightError, UnpublishedNightError
from resources.provenance import provenance
from resources.replay import MOST_DIFFERENCES, Replay, ReplayedRegistry, replay_of
from resources.serving import Serving
from resources.settings import Settings
from resources.wiring import (
    build_lake,
    build_market,
    build_model_registry,
    build_resources,
    build_serving,
)


def main() -> None:
    """Replay a night, and say collection by collection whether it is the same."""
    arguments = argparse.ArgumentParser(description=main.__doc__)
    arguments.add_argument("--session", type=date.fromisoformat, required=True)
    session = arguments.parse_args().session
    settings = prepared_settings()
    serving = build_serving(settings).process_config_and_initialize()
    lake = build_lake(settings).process_config_and_initialize()
    market = build_market(settings)
    nights = Nights(lake=lake, market=market)
    try:
        (night,) = nights.find([session])
        manifest = nights.manifest(session)
        require_same_code(manifest, provenance(SignalSettings()))
    except (UnopenedNightError, UnpublishedNightError, OtherCodeError) as error:
        sys.exit(f"nightdesk: {error}")
    embedded = Serving(state_folder=str(settings.home))
    with replay_of(night, manifest, lake=lake, serving=serving, scratch=embedded) as replay:
        if run_again(replay_resources(settings, replay), session):
            sys.exit("nightdesk: the replay failed; nothing of the night itself was touched")
        sys.exit(told(replay))


def replay_resources(settings: Settings, replay: Replay) -> dict[str, Any]:
    """Return the resources, with the lake as it was and the model that scored in their places."""
    registry = ReplayedRegistry(
        **dict(build_model_registry(settings)),
        used_version=replay.manifest.model_versions.get("signal"),
    )
    resources = build_resources(settings, serving=replay.scratch, lake=replay.lake)
    return resources | {"model_registry": registry}


def run_again(resources: dict[str, Any], session: date) -> Failure | None:
    """Run the night's outputs and publishing on given resources; return what failed."""
    import dagster as dg

    from assets.partitions import PARTITION_TAG
    from definitions import build_definitions

    definitions = build_definitions(**resources)
    keys = REPLAYED.resolve(definitions.resolve_asset_graph())
    job = definitions.resolve_job_def("nightly").get_subset(asset_selection=set(keys))
    with dg.DagsterInstance.ephemeral() as instance:
        return run_job(job, instance, tags={PARTITION_TAG: session.isoformat()})


def told(replay: Replay) -> int:
    """Print what is the same and what is not; return the exit code."""
    collections = replay.comparison()
    for one in collections:
        mark = "[green]=[/green]" if one.is_same else "[red]≠[/red]"
        CONSOLE.print(f"  {mark} {one.collection}  {one.published.documents:,} documents")
        if not one.is_same:
            _print_differences(replay, one)
    same = sum(one.is_same for one in collections)
    CONSOLE.print(f"\n{same} of {len(collections)} collections are the same to the byte")
    return 0 if same == len(collections) else 1


def _print_differences(replay: Replay, one: Compared) -> None:
    """Print which documents differ, as far as they are still there to be compared."""
    if one.replayed.documents != one.published.documents:
        CONSOLE.print(f"    {one.replayed.documents:,} documents now")
    for number, difference in enumerate(replay.differences(one.collection)):
        if number == MOST_DIFFERENCES:
            CONSOLE.print("    …")
            return
        CONSOLE.print(f"    {difference}", markup=False)


if __name__ == "__main__":
    main()
