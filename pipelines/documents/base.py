"""What all published documents share: identity, content hash and the form MongoDB stores.

A document is its natural key and its content. When it was created and last changed is written by
`resources.serving`, which also turns identifiers into ObjectIds: no database client is known here.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from pipelines.documents.values import to_mongo_value

PUBLISHER: Literal["nightdesk"] = "nightdesk"
DOCUMENT_ID_BYTES = 12
# Fields that belong to the serving resource, to MongoDB or to a person, never to a model.
RESERVED_FIELDS = frozenset(
    {"_id", "acknowledged", "content_hash", "created_at", "resolved_at", "updated_at"}
)


@dataclass(frozen=True)
class Index:
    """A MongoDB index of ours: a name of its own, fields with 1 (rising) or -1 (falling).

    `is_of_ours_alone` leaves out documents of other writers: to a unique index two of a user's that
    lack the fields of our key are the same, and the second could not be written.
    """

    name: str
    keys: tuple[tuple[str, int], ...]
    unique: bool = False
    is_of_ours_alone: bool = False


class DocumentPart(BaseModel):
    """A map inside a document: checked when it is made, never changed, no field too many."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class PublishedDocument(DocumentPart):
    """A MongoDB document of one collection.

    Fields named in `bookkeeping` are stored but are no content: a change in them alone is not
    worth a write. A field that is dropped from a model goes into `retired`, and publishing takes
    it out of stored documents; any other field that the model does not know is somebody else's.
    Fields named in `open_maps` are maps into which others write keys of their own: publishing sets
    the keys that our map has, and leaves the others. `first_values` are for a new document alone:
    readers filter by them, and from then on they are somebody else's.
    """

    collection: ClassVar[str]
    natural_key: ClassVar[tuple[str, ...]]
    indexes: ClassVar[tuple[Index, ...]] = ()
    bookkeeping: ClassVar[frozenset[str]] = frozenset()
    retired: ClassVar[frozenset[str]] = frozenset()
    open_maps: ClassVar[frozenset[str]] = frozenset()
    first_values: ClassVar[Mapping[str, object]] = {}

    publisher: Literal["nightdesk"] = Field(
        default=PUBLISHER, description="Who wrote the document; only our own are ever deleted."
    )

    @classmethod
    def __pydantic_init_subclass__(cls, **_: object) -> None:
        """Refuse a model that would write a field which is not its own."""
        taken = RESERVED_FIELDS & (cls.model_fields.keys() | cls.retired)
        if taken:
            message = f"{cls.__name__} declares {sorted(taken)}: a document never writes these"
            raise TypeError(message)
        undecided = cls.retired & cls.model_fields.keys()
        if undecided:
            message = f"{cls.__name__} both writes and retires {sorted(undecided)}: choose one"
            raise TypeError(message)

    def to_mongo(self) -> dict[str, object]:
        """Return the document as it is stored, without `_id`, `created_at` and `updated_at`."""
        # A field that pydantic has no room for under its stored name carries that as an alias.
        values = self.__dict__
        stored = {
            field.serialization_alias or name: to_mongo_value(values[name])
            for name, field in type(self).model_fields.items()
        }
        return stored | {"content_hash": content_hash(stored, bookkeeping=self.bookkeeping)}


def natural_key_of(
    model: type[PublishedDocument], stored: Mapping[str, object]
) -> tuple[object, ...]:
    """Return a stored document's natural key; a name with a dot reaches into a map."""
    return tuple(_value_at(stored, name) for name in model.natural_key)


def document_id(collection: str, key: Sequence[object]) -> str:
    """Return the `_id` of a document's first insert, as 24 hexadecimal digits.

    It is the start of the SHA-256 of the natural key, so that two writers of one key meet in one
    document instead of making two.
    """
    digest = hashlib.sha256(_canonical_json([collection, *key]).encode()).digest()
    return digest[:DOCUMENT_ID_BYTES].hex()


def content_hash(stored: Mapping[str, object], *, bookkeeping: frozenset[str]) -> str:
    """Return the SHA-256 of a stored document's content as canonical JSON."""
    content = stored
    if bookkeeping:
        content = {name: value for name, value in stored.items() if name not in bookkeeping}
    return hashlib.sha256(_canonical_json(content).encode()).hexdigest()


def recipe_of(model: type[PublishedDocument], *, source: str, revision: str = "1") -> str:
    """Return a hash of what, beside its rows, goes into every document.

    Args:
        model: Their model.
        source: The market that the rows come from.
        revision: Another one when the same row makes another document of the same model.
    """
    parts: list[object] = [source, sorted(model.retired), model.model_json_schema()]
    made_of = json.dumps(parts if revision == "1" else [*parts, revision], sort_keys=True)
    return hashlib.sha256(made_of.encode()).hexdigest()


def collection_hash(hash_by_key: Iterable[tuple[Sequence[object], str]]) -> str:
    """Return the SHA-256 over all keys and content hashes, whatever their order."""
    lines = sorted(f"{_canonical_json(list(key))} {digest}" for key, digest in hash_by_key)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _value_at(stored: object, path: str) -> object:
    """Return the value at a path of names joined by dots; None where there is none."""
    for name in path.split(".") if "." in path else (path,):
        stored = stored.get(name) if isinstance(stored, Mapping) else None
    return stored


def _instant_text(instant: datetime) -> str:
    """Return an instant as ISO text in milliseconds; all else that is stored is JSON already."""
    return instant.isoformat(timespec="milliseconds")


# Made once: for a small document making it takes as long as encoding.
_CANONICAL = json.JSONEncoder(
    sort_keys=True,
    separators=(",", ":"),
    ensure_ascii=False,
    allow_nan=False,
    default=_instant_text,
)


def _canonical_json(value: object) -> str:
    """Return JSON with sorted names, no spaces and the shortest digits that read back equal."""
    return _CANONICAL.encode(value)
