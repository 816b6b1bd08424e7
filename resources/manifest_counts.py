"""What stands in the database of a night, for its manifest."""

from collections.abc import Callable, Mapping
from datetime import date

from pipelines.documents.pipeline_run import PublishedCollection
from pipelines.manifest import lasting_scopes, passing_scopes
from pipelines.nights import Night
from resources.serving import Serving

Counted = Mapping[str, PublishedCollection]


def published_by(
    serving: Serving, *, newest: date | None, told: Callable[[Night], Counted]
) -> Callable[[Night], Counted]:
    """Return what tells a night's collections.

    Later nights move some documents on. A night that is run again after one keeps what its manifest
    says of these, so that the rerun makes the same manifest.

    Args:
        serving: Where the documents stand.
        newest: The newest published session.
        told: What a night's manifest says, as the lake keeps it: MongoDB may have been lost.
    """

    def published(night: Night) -> Counted:
        counted = serving.summaries(lasting_scopes(night))
        is_past = newest is not None and night.session < newest
        before = told(night) if is_past else {}
        passing = {
            model: scope
            for model, scope in passing_scopes(night).items()
            if model.collection not in before
        }
        return {**before, **counted, **serving.summaries(passing)}

    return published
