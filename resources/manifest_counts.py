"""What stands in the database of a night, for its manifest."""

from collections.abc import Callable, Mapping
from datetime import date

from pipelines.documents.pipeline_run import PipelineRun, PublishedCollection
from pipelines.manifest import lasting_scopes, passing_scopes
from pipelines.nights import Night
from resources.serving import Serving


def published_by(
    serving: Serving, *, newest: date | None
) -> Callable[[Night], Mapping[str, PublishedCollection]]:
    """Return what tells a night's collections; `newest` is the newest published session.

    Later nights move some documents on. A night that is run again after one keeps what its manifest
    says of these, so that the rerun makes the same manifest.
    """

    def published(night: Night) -> Mapping[str, PublishedCollection]:
        counted = serving.summaries(lasting_scopes(night))
        is_past = newest is not None and night.session < newest
        told = _told(serving, night) if is_past else {}
        passing = {
            model: scope
            for model, scope in passing_scopes(night).items()
            if model.collection not in told
        }
        return {**told, **counted, **serving.summaries(passing)}

    return published


def _told(serving: Serving, night: Night) -> dict[str, PublishedCollection]:
    """Return what the stored manifest of a night says; nothing if there is none."""
    with serving.connect() as database:
        manifest = database[PipelineRun.collection].find_one({"night_id": night.night_id})
    return {
        name: PublishedCollection.model_validate(told)
        for name, told in (manifest or {"collections": {}})["collections"].items()
    }
