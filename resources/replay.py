"""Replaying a night: its documents made again from the lake's version, beside what it published.

The replay publishes into a database of its own, which is dropped when it has been compared.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from typing_extensions import override

from pipelines.documents.base import PUBLISHER
from pipelines.documents.pipeline_run import PipelineRun
from pipelines.lifecycle.replay import Compared, Stored, compared, differences
from pipelines.manifest import lasting_scopes, model_registry_scopes, passing_scopes
from pipelines.nights import Night
from pipelines.signals.model import TrainedSignal
from resources.lake import Lake
from resources.model_registry import ModelRegistry, raise_corrupt
from resources.publishing_scope import PublishingScope
from resources.replayed_lake import ReplayedLake
from resources.serving import Serving

MOST_DIFFERENCES = 20
"""How many documents of a collection are named."""


class ReplayedRegistry(ModelRegistry):
    """The registry as the night used it: one version scores, whatever was trained since."""

    used_version: int | None

    @override
    def model_by_session(
        self,
        market: str,
        *,
        features_version: str,
        complain: Callable[[str], None] = raise_corrupt,
    ) -> Callable[[date], tuple[int, TrainedSignal] | None]:
        """Return the look-up of the model that scored the night; no other takes its place."""
        load = lru_cache(self.version)

        def model_for(_: date) -> tuple[int, TrainedSignal] | None:
            used = self.used_version
            return None if used is None else (used, load(used))

        return model_for


@dataclass(frozen=True)
class Replay:
    """What a night is replayed with.

    Attributes:
        night: The night.
        manifest: What it published.
        serving: Where that stands, or stood.
        scratch: Database that the replay publishes into.
        lake: The lake as the night found it.
    """

    night: Night
    manifest: PipelineRun
    serving: Serving
    scratch: Serving
    lake: ReplayedLake

    def comparison(self) -> list[Compared]:
        """Return each collection that follows from the lake, as published and as replayed."""
        of_models = model_registry_scopes(self.night)
        scopes = {
            model: scope
            for model, scope in {**lasting_scopes(self.night), **passing_scopes(self.night)}.items()
            if model not in of_models
        }
        return compared(self.manifest, self.scratch.summaries(scopes))

    def differences(self, collection: str) -> Iterator[str]:
        """Say which documents of a collection differ from those that stand, and in which fields.

        Only of what later nights leave as it is; of the others just the manifest's hash is left.
        """
        for model, scope in lasting_scopes(self.night).items():
            if model.collection == collection:
                sides = (_stored(side, collection, scope) for side in (self.serving, self.scratch))
                yield from differences(model, *sides)


@contextmanager
def replay_of(
    night: Night, manifest: PipelineRun, *, lake: Lake, serving: Serving, scratch: Serving
) -> Iterator[Replay]:
    """Give a replay of a night; its database is dropped at the end.

    Args:
        night: The night.
        manifest: What it published.
        lake: The lake; it is only read.
        serving: The database that the backend reads; it is only read.
        scratch: A server whose database may be written and dropped.
    """
    replayed = ReplayedLake(
        **_fields(lake), lake_version=manifest.lake_snapshot, session=night.session.isoformat()
    )
    apart = Serving(**_fields(scratch) | {"database": f"nightdesk_replay_{night.night_id}"})
    try:
        yield Replay(night, manifest, serving, apart, replayed)
    finally:
        replayed.close()
        with apart.connect() as database:
            database.client.drop_database(apart.database)


def _fields(resource: Lake | Serving) -> dict[str, Any]:
    """Return what a resource was made with; Dagster makes resources again from just that."""
    return {name: getattr(resource, name) for name in type(resource).model_fields}


def _stored(serving: Serving, collection: str, scope: Mapping[str, object]) -> list[Stored]:
    """Return our documents of a scope."""
    with serving.connect() as database:
        query: dict[str, Any] = PublishingScope.of(scope).query() | {"publisher": PUBLISHER}
        return list(database[collection].find(query))
