"""Filling a MongoDB that was lost again: which nights are published again, in which order.

Nights that one run published share a version of the lake. They are published again together, from
that version, so that documents carry the instants of the nights that first wrote and last changed
them. A night's own outputs stand in the lake by session; nothing is scored anew.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby, pairwise

from pipelines.calendar import ExchangeCalendar
from pipelines.documents.pipeline_run import PipelineRun, PublishedCollection
from pipelines.nights import Night

FOLLOWS_LATER_NIGHTS = frozenset({"stock_price_daily"})
"""Collections of a night's lasting documents that revisions and dividends rewrite all the same."""

NOT_RESTORED: Mapping[str, str] = {
    "pipeline_runs": "`runs`: the names of runs are in Dagster's storage, not in the lake",
    "market_regimes": "stamps of heartbeats on the newest session; the next heartbeat writes them",
    "data_quality_events": "`acknowledged`, and what people wrote into an event itself; verdicts "
    "that a night has landed are in force all the same",
    "quarantined_prices": "what people wrote since the last night, and `acknowledged`",
    "model_versions": "these tell of MLflow as it is now, with `deployments`, `model_runs`, "
    "`model_experiments` and `feature_usages`; a rollback or training since the last night shows, "
    "and usages by versions that learned from other features are gone",
    "evaluation_runs": "no night publishes these, nor `evaluation_scenarios`, `benchmarks`, "
    "`benchmark_runs` and `fairness_reports`: `make evaluate SESSION=…` does so again",
    "everything of the backend's own": "watchlists, strategies, backtests, chats: restore them "
    "from the backend's backup, before the next night lands them as empty",
}
"""What the lake does not hold, by collection; `updated_at` is the night's that published last."""


class StandingDocumentsError(ValueError):
    """The database holds later nights than the one to begin with: publishing would take it back."""

    def __init__(self, missing: date, standing: date) -> None:
        """Name both nights, and the way out."""
        super().__init__(
            f"the night of {standing} stands in the database and the older one of {missing} does "
            "not: publishing that again would take back what later nights wrote; drop our "
            "collections (docs/runbook.md), or name an empty database, and run this again"
        )


@dataclass(frozen=True)
class Stretch:
    """Nights that one run published, in order, and the version of the lake they were made from."""

    version: int
    nights: tuple[Night, ...]

    @property
    def first(self) -> date:
        """The first session of the run."""
        return self.nights[0].session

    @property
    def last(self) -> date:
        """The last session of the run."""
        return self.nights[-1].session

    @property
    def as_of(self) -> datetime:
        """The instant of its last night, which its documents carry."""
        return self.nights[-1].as_of


def stretches(
    published: Mapping[Night, int], *, calendar: ExchangeCalendar, first_readable: int
) -> Iterator[Stretch]:
    """Cut published nights into the runs that published them, in the order in which they did.

    Sessions between two nights of a run are nights that were there before it; where one is not, no
    run can have gone over both.

    Args:
        published: The version of the lake that each night published.
        calendar: The exchange's.
        first_readable: First version to publish from, whose tables have today's columns; nights
            from before it are published from it.
    """
    ordered = sorted(published.items(), key=lambda item: (item[1], item[0].session))
    there: set[date] = set()
    for version, items in groupby(ordered, key=lambda item: item[1]):
        nights = [night for night, _ in items]
        there |= {night.session for night in nights}
        for run in _runs(nights, there, calendar):
            yield Stretch(max(version, first_readable), tuple(run))


def _runs(
    nights: Sequence[Night], there: Collection[date], calendar: ExchangeCalendar
) -> Iterator[list[Night]]:
    """Cut nights where a session between two of them is no night."""
    run = [nights[0]]
    for before, night in pairwise(nights):
        if not set(calendar.sessions(before.session, night.session)) <= set(there):
            yield run
            run = []
        run.append(night)
    yield run


def missing_stretches(plan: Sequence[Stretch], standing: Collection[str]) -> list[Stretch]:
    """Return the stretches that are still to be published, after those that stand whole.

    Args:
        plan: All of them.
        standing: `night_id` of every manifest that stands in the database.

    Raises:
        StandingDocumentsError: a night stands that was published after a missing one.
    """
    is_whole = [all(night.night_id in standing for night in one.nights) for one in plan]
    done = is_whole.index(False) if False in is_whole else len(plan)
    missing = list(plan[done:])
    for later in missing[1:]:
        for night in later.nights:
            if night.night_id in standing:
                raise StandingDocumentsError(missing[0].first, night.session)
    return missing


def unlike(manifest: PipelineRun, standing: Mapping[str, PublishedCollection]) -> list[str]:
    """Return the collections in which a night's lasting documents are not what it published."""
    return sorted(
        name
        for name, told in standing.items()
        if name not in FOLLOWS_LATER_NIGHTS and manifest.collections.get(name) != told
    )
