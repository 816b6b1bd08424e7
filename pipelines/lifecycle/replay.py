"""A night replayed, compared with what it published: the same to the byte, or what differs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipelines.documents.base import PublishedDocument, natural_key_of
from pipelines.documents.pipeline_run import PipelineRun, PublishedCollection
from pipelines.manifest import Provenance

Stored = Mapping[str, object]
"""A document as MongoDB stores it."""

KEPT_BY_SERVING = frozenset({"_id", "created_at", "updated_at", "content_hash"})
"""What publishing writes beside the content."""


class OtherCodeError(ValueError):
    """A night was made by other code or other packages than would replay it."""

    def __init__(self, what: str, then: str, now: str, *, session: str) -> None:
        """Say what is another, which it was, and the way out."""
        super().__init__(
            f"the night of {session} was made by {what} {then}, here is {now}: a replay by another "
            "proves nothing; check out the commit that published it (its manifest is in "
            "pipeline_runs), run `make setup`, and replay there with the same NIGHTDESK_HOME"
        )


@dataclass(frozen=True)
class Compared:
    """One collection of a night: what its manifest says, and what the replay made."""

    collection: str
    published: PublishedCollection
    replayed: PublishedCollection

    @property
    def is_same(self) -> bool:
        """Return whether the replay made the same documents, to the byte of their content."""
        return self.published == self.replayed


def require_same_code(manifest: PipelineRun, here: Provenance) -> None:
    """Refuse to replay a night that other code made.

    Raises:
        OtherCodeError: code or locked packages are others.
    """
    session = manifest.session.isoformat()
    for what, then, now in (
        ("code", manifest.code_version, here.code_version),
        ("locked packages", manifest.lock_hash, here.lock_hash),
    ):
        if then != now:
            raise OtherCodeError(what, then, now, session=session)


def compared(manifest: PipelineRun, replayed: Mapping[str, PublishedCollection]) -> list[Compared]:
    """Return every collection that was replayed beside what the manifest says of it.

    Raises:
        KeyError: the manifest says nothing of a collection, so another code wrote it.
    """
    return [
        Compared(name, manifest.collections[name], made) for name, made in sorted(replayed.items())
    ]


def differences(
    model: type[PublishedDocument], published: list[Stored], replayed: list[Stored]
) -> Iterator[str]:
    """Say how documents of one collection differ, a sentence for each that does."""
    left, right = (
        {natural_key_of(model, document): document for document in side}
        for side in (published, replayed)
    )
    ignored = KEPT_BY_SERVING | model.bookkeeping
    for key in sorted(left.keys() | right.keys(), key=str):
        name = f"{model.collection} {'/'.join(str(part) for part in key)}"
        if key not in right:
            yield f"{name}: published, not replayed"
        elif key not in left:
            yield f"{name}: replayed, no longer published"
        elif told := _differing_fields(left[key], right[key], ignored):
            yield f"{name}: {'; '.join(told)}"


def _differing_fields(left: Stored, right: Stored, ignored: frozenset[str]) -> list[str]:
    """Return the fields of ours that two documents tell differently, with both values."""
    return [
        f"{name} {left.get(name)!r} is now {right[name]!r}"
        for name in sorted(right.keys() - ignored)
        if left.get(name) != right[name]
    ]
