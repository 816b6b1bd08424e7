"""`make replay SESSION=...`: make past nights' documents again, and compare them to the byte.

One session, a range `first...last`, or some of these drawn at random.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from commands.again import run_again
from commands.console import CONSOLE
from commands.instance import prepared_settings
from jobs.replay import REPLAYED
from pipelines.lifecycle.replay import Compared, OtherCodeError, require_same_code
from pipelines.signals.settings import SignalSettings
from resources.lake import Lake
from resources.market import Market
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

BETWEEN = "..."
"""Stands between the first and the last session of a range."""


class FailedReplayError(RuntimeError):
    """A step of a replay failed, so that there is nothing to compare."""


@dataclass(frozen=True)
class Replayer:
    """What replays the nights of a desk, one after the other."""

    settings: Settings
    lake: Lake
    serving: Serving
    nights: Nights

    @classmethod
    def of(cls, settings: Settings) -> "Replayer":
        """Return the replayer of the desk that the settings name."""
        lake = build_lake(settings).process_config_and_initialize()
        serving = build_serving(settings).process_config_and_initialize()
        return cls(settings, lake, serving, Nights(lake=lake, market=build_market(settings)))

    def replay(self, session: date, *, is_alone: bool) -> bool:
        """Replay a night and say what is the same; return whether all of it is.

        Raises:
            UnopenedNightError: there is no such night.
            UnpublishedNightError: it was not published to the end.
            OtherCodeError: other code or other packages made it.
            FailedReplayError: a step failed.
        """
        (night,) = self.nights.find([session])
        manifest = self.nights.manifest(session)
        require_same_code(manifest, provenance(SignalSettings()))
        scratch = Serving(state_folder=str(self.settings.home))
        with replay_of(
            night, manifest, lake=self.lake, serving=self.serving, scratch=scratch
        ) as replay:
            resources = replay_resources(self.settings, replay)
            if replayed_night(resources, session, shows_steps=is_alone):
                message = "the replay failed; nothing of the night itself was touched"
                raise FailedReplayError(message)
            return told(replay) if is_alone else told_briefly(replay)


def main() -> None:
    """Replay nights, and say of each whether it is the same; end with 1 unless all are."""
    arguments = _arguments()
    replayer = Replayer.of(prepared_settings())
    if arguments.random or BETWEEN in arguments.session:
        sessions = chosen(
            [night.session for night in replayer.nights.published()],
            within=arguments.session,
            at_random=arguments.random,
            seed=arguments.seed,
        )
        sys.exit(_replay_all(replayer, sessions))
    try:
        is_same = replayer.replay(date.fromisoformat(arguments.session), is_alone=True)
    except (
        *(UnopenedNightError, UnpublishedNightError),
        *(OtherCodeError, FailedReplayError, ValueError),
    ) as error:
        sys.exit(f"nightdesk: {error}")
    sys.exit(0 if is_same else 1)


def _arguments() -> argparse.Namespace:
    """Read the command line; make passes on an empty text for what is not set."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--session", default="", help="YYYY-MM-DD, or first...last")
    parser.add_argument("--random", type=_count, default=0, help="draw this many of the range")
    parser.add_argument("--seed", type=_count, default=0, help="of the draw")
    return parser.parse_args()


def _count(text: str) -> int:
    """Read a number; an empty text is none."""
    return int(text) if text else 0


def chosen(
    published: Sequence[date], *, within: str, at_random: int = 0, seed: int = 0
) -> list[date]:
    """Return the published sessions to replay, in order.

    Args:
        published: Sessions of all nights that were published to the end.
        within: `first...last`, either of which may be left out; empty: all.
        at_random: How many to draw of these without replacement; 0 takes them all.
        seed: Of the draw.
    """
    import numpy as np

    first, _, last = within.partition(BETWEEN)
    fits = [
        session
        for session in published
        if (first or "0") <= session.isoformat() <= (last or "9999")
    ]
    if not at_random or at_random >= len(fits):
        return sorted(fits)
    drawn = np.random.default_rng(seed).choice(len(fits), size=at_random, replace=False)
    return [sorted(fits)[position] for position in sorted(drawn)]


def _replay_all(replayer: Replayer, sessions: Sequence[date]) -> int:
    """Replay nights one after the other; return the exit code."""
    same, began = 0, time.monotonic()
    for session in sessions:
        try:
            same += replayer.replay(session, is_alone=False)
        except (OtherCodeError, FailedReplayError) as error:
            CONSOLE.print(f"  - {session}  {error}", markup=False)
    minutes = (time.monotonic() - began) / 60
    CONSOLE.print(
        f"\n{same} of {len(sessions)} nights are the same to the byte ({minutes:.1f} minutes)"
    )
    return 0 if sessions and same == len(sessions) else 1


def replay_resources(
    settings: Settings, replay: Replay, *, market: Market | None = None
) -> dict[str, Any]:
    """Return the resources, with the lake as it was and the model that scored in their places."""
    registry = ReplayedRegistry(
        **dict(build_model_registry(settings)),
        used_version=replay.manifest.model_versions.get("signal"),
    )
    resources = build_resources(settings, market=market, serving=replay.scratch, lake=replay.lake)
    return resources | {"model_registry": registry}


def replayed_night(resources: dict[str, Any], session: date, *, shows_steps: bool = False) -> bool:
    """Run the night's outputs and publishing on given resources; return whether it failed."""
    from assets.partitions import PARTITION_TAG

    tags = {PARTITION_TAG: session.isoformat()}
    return run_again(resources, REPLAYED, tags=tags, shows_steps=shows_steps) is not None


def told(replay: Replay) -> bool:
    """Print of each collection whether it is the same; return whether all are."""
    collections = replay.comparison()
    for one in collections:
        mark = "[green]=[/green]" if one.is_same else "[red]≠[/red]"
        CONSOLE.print(f"  {mark} {one.collection}  {one.published.documents:,} documents")
        if not one.is_same:
            _print_differences(replay, one)
    same = sum(one.is_same for one in collections)
    CONSOLE.print(f"\n{same} of {len(collections)} collections are the same to the byte")
    return same == len(collections)


def told_briefly(replay: Replay) -> bool:
    """Print a line for a night that is the same, and what differs of another."""
    collections = replay.comparison()
    differing = [one for one in collections if not one.is_same]
    mark = "[red]≠[/red]" if differing else "[green]=[/green]"
    documents = sum(one.published.documents for one in collections)
    CONSOLE.print(
        f"  {mark} {replay.night.session}  {len(collections) - len(differing)} of "
        f"{len(collections)} collections, {documents:,} documents"
    )
    for one in differing:
        CONSOLE.print(f"    ≠ {one.collection}  {one.published.documents:,} documents")
        _print_differences(replay, one)
    return not differing


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
