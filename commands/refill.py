"""`make refill`: publish all nights of the lake again, into a MongoDB that was lost."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from commands.again import run_again
from commands.console import CONSOLE
from commands.instance import prepared_settings
from jobs.refill import REFILLED
from pipelines.lifecycle.refill import (
    NOT_RESTORED,
    StandingDocumentsError,
    Stretch,
    missing_stretches,
)
from pipelines.signals.settings import SignalSettings
from resources.lake import Lake
from resources.market import Market
from resources.model_registry import ModelRegistry
from resources.nights import Nights
from resources.provenance import provenance
from resources.refill import (
    PastRegistry,
    lake_at,
    last_word,
    plan_of,
    standing_nights,
    unlike_nights,
    write_manifests,
    write_verdicts,
)
from resources.serving import Serving
from resources.settings import Settings
from resources.wiring import (
    build_lake,
    build_market,
    build_model_registry,
    build_resources,
    build_serving,
)

OF_OTHER_CODE = "(other code published it: a field more gives a document another hash)"


class FailedRefillError(RuntimeError):
    """A night could not be published; those before it stand, and another refill goes on there."""


@dataclass(frozen=True)
class Refiller:
    """What publishes the nights of a desk again."""

    settings: Settings
    lake: Lake
    serving: Serving
    market: Market
    registry: ModelRegistry

    @classmethod
    def of(cls, settings: Settings) -> "Refiller":
        """Return the refiller of the desk that the settings name."""
        return cls(
            settings,
            build_lake(settings).process_config_and_initialize(),
            build_serving(settings).process_config_and_initialize(),
            build_market(settings),
            build_model_registry(settings),
        )

    @property
    def nights(self) -> Nights:
        """The lake's nights."""
        return Nights(lake=self.lake, market=self.market)

    def missing(self) -> list[Stretch]:
        """Return what is to be published, in order.

        Raises:
            StandingDocumentsError: a night stands that was published after a missing one.
        """
        return missing_stretches(plan_of(self.lake, self.nights), standing_nights(self.serving))

    def publish(self, missing: Sequence[Stretch]) -> None:
        """Publish nights as they were published first, and their manifests.

        Raises:
            FailedRefillError: a step failed.
        """
        for number, stretch in enumerate(missing, start=1):
            self._publish(stretch)
            write_manifests(self.serving, self.nights, stretch)
            count = f"[dim]{number}/{len(missing)}[/dim]"
            CONSOLE.print(f"  [green]✓[/green] {_named(stretch)} {count}")

    def finish(self) -> None:
        """Publish the newest night as the lake is now, and what people have decided.

        Raises:
            FailedRefillError: a step failed.
        """
        if newest := last_word(self.lake, self.nights):
            self._publish(newest)
        written = write_verdicts(self.serving, self.lake)
        CONSOLE.print(f"  [green]✓[/green] verdicts of people on withheld bars: {written:,}")

    def _publish(self, stretch: Stretch) -> None:
        """Publish the nights of one run from the lake as it was."""
        with lake_at(self.lake, stretch.version) as lake:
            resources: dict[str, Any] = {
                **build_resources(
                    self.settings, market=self.market, serving=self.serving, lake=lake
                ),
                "model_registry": PastRegistry(**dict(self.registry), lake_version=stretch.version),
            }
            failure = run_again(resources, REFILLED, tags=_tags(stretch), shows_steps=False)
        if failure:
            message = f"{_named(stretch)}: {failure}; run this again, it goes on there"
            raise FailedRefillError(message)


def main() -> None:
    """Publish what is missing and compare; end with 1 where a night is not what it published."""
    refiller = Refiller.of(prepared_settings())
    try:
        missing = refiller.missing()
        refiller.publish(missing)
        refiller.finish()
    except (StandingDocumentsError, FailedRefillError) as error:
        sys.exit(f"nightdesk: {error}")
    if missing:
        _print_not_restored(NOT_RESTORED)
    sys.exit(told(refiller))


def told(refiller: Refiller) -> int:
    """Print which nights are what their manifests say; return the exit code."""
    nights = len(refiller.nights.published())
    here = provenance(SignalSettings()).code_version
    differing = 0
    for night, collections in unlike_nights(refiller.serving, refiller.nights):
        differing += 1
        by = refiller.nights.manifest(night.session).code_version
        why = "" if by == here else f" {OF_OTHER_CODE}"
        CONSOLE.print(f"  [red]≠[/red] {night.session}  {', '.join(collections)}{why}")
    CONSOLE.print(f"\n{nights - differing} of {nights} nights are what they published")
    return 1 if differing else 0


def _print_not_restored(reasons: Mapping[str, str]) -> None:
    """Print what the lake can't give back."""
    CONSOLE.print("\nnot restored, since the lake does not hold it:")
    for what, reason in reasons.items():
        CONSOLE.print(f"  {what}: {reason}", markup=False)


def _tags(stretch: Stretch) -> dict[str, str]:
    """Return the tags of the run that published a stretch."""
    from assets.partitions import PARTITION_TAG, RANGE_END_TAG, RANGE_START_TAG

    first, last = stretch.first.isoformat(), stretch.last.isoformat()
    if first == last:
        return {PARTITION_TAG: last}
    return {RANGE_START_TAG: first, RANGE_END_TAG: last}


def _named(stretch: Stretch) -> str:
    """Return a stretch as a person reads it."""
    if stretch.first == stretch.last:
        return f"{stretch.last}"
    return f"{stretch.first} to {stretch.last}"


if __name__ == "__main__":
    main()
