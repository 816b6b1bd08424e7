"""Reconciling one collection with a set of documents: write what differs, check it, drop the rest.

Whole stored documents are compared, not their hashes, so a document that someone changed behind our
back is put right; of a map that is open to others only our own keys are compared and written. Only
documents with our `publisher` are ever deleted; a document that another writer made for one of our
keys is taken over and keeps its `_id` and the fields we do not know; fields that our model has
retired are taken out.
A crash leaves every document whole, and the next run reaches the same end.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from bson import ObjectId
from pymongo import UpdateOne
from pymongo.collection import Collection

from pipelines.documents.base import (
    PUBLISHER,
    PublishedDocument,
    collection_hash,
    document_id,
    natural_key_of,
)
from pipelines.documents.pipeline_run import PublishedCollection
from pipelines.documents.values import cut_to_milliseconds
from resources.mongodb import Document, ServingRefusedError
from resources.publishing_report import PublishingReport
from resources.publishing_scope import Scope

Key = tuple[object, ...]
_Item = TypeVar("_Item")

BATCH_DOCUMENTS = 1000

ANY_TEXT = {"$gte": ""}
"""A condition that every text meets, so that an index that begins with one can be used."""


@dataclass(frozen=True)
class _Stored:
    """What is known of one stored document."""

    identifier: Any
    is_ours: bool
    is_same: bool


@dataclass(frozen=True)
class _Plan:
    """What has to be done: the `_id` that each key is written to, and `_id`s to delete."""

    inserts: dict[Key, Any]
    updates: dict[Key, Any]
    stale: list[Any]
    foreign_duplicates: int


def reconcile(
    collection: Collection[Document],
    model: type[PublishedDocument],
    documents: Iterable[PublishedDocument],
    *,
    scope: Scope,
    as_of: datetime,
) -> PublishingReport:
    """Make our documents in the scope exactly these, and return what that took.

    Raises:
        ValueError: a document is of another model, outside the scope, or its key comes twice.
        ServingRefusedError: what reads back is not what was written.
    """
    intended = _intended(model, documents, scope)
    plan = _plan(model, intended, collection.find(scope.query()))
    for keys in _batches((plan.inserts | plan.updates).items()):
        targets = {identifier: intended[key] for key, identifier in keys}
        _write(collection, model, targets, as_of=cut_to_milliseconds(as_of))
        _read_back(collection, model, targets)
    deleted = _delete(collection, model, plan.stale)
    return PublishingReport(
        collection=model.collection,
        inserted=len(plan.inserts),
        updated=len(plan.updates),
        unchanged=len(intended) - len(plan.inserts) - len(plan.updates),
        deleted=deleted,
        foreign_duplicates=plan.foreign_duplicates,
        content_hash=collection_hash(
            (key, document["content_hash"]) for key, document in intended.items()
        ),
    )


def summary(
    collection: Collection[Document], model: type[PublishedDocument], *, scope: Scope
) -> PublishedCollection:
    """Return how many documents of ours stand in the scope, and the hash over them."""
    fields = dict.fromkeys((*model.natural_key, "content_hash"), True)
    found = list(collection.find(summary_query(model, scope), fields))
    hash_by_key = [
        (natural_key_of(model, document), document["content_hash"]) for document in found
    ]
    return PublishedCollection(documents=len(found), content_hash=collection_hash(hash_by_key))


def summary_query(model: type[PublishedDocument], scope: Scope) -> Document:
    """Return the filter for our documents in a scope.

    Where an index begins with the symbol and goes on with a field of the scope, the filter names
    any symbol: mongod then seeks each one's documents in the index, and reads no others. Without, a
    session's bars are looked for in all bars.
    """
    query = scope.query() | {"publisher": PUBLISHER}
    heads = [tuple(name for name, _ in index.keys[:2]) for index in model.indexes]
    if any(head[0] in query for head in heads):
        return query
    by_symbol = any(head[0] == "symbol" and head[-1] in query for head in heads)
    return query | {"symbol": ANY_TEXT} if by_symbol else query


def _intended(
    model: type[PublishedDocument], documents: Iterable[PublishedDocument], scope: Scope
) -> dict[Key, Document]:
    """Return the documents as they shall be stored, by natural key."""
    intended: dict[Key, Document] = {}
    for document in documents:
        if type(document) is not model:
            message = f"a {type(document).__name__} is no {model.__name__}: reconcile one model"
            raise ValueError(message)
        stored = document.to_mongo()
        scope.require(stored)
        key = natural_key_of(model, stored)
        if key in intended:
            message = f"{model.collection} has two documents for {key}: a key names one document"
            raise ValueError(message)
        intended[key] = stored
    return intended


def _plan(
    model: type[PublishedDocument], intended: Mapping[Key, Document], found: Iterable[Document]
) -> _Plan:
    """Decide what to write and delete, holding no more of the stored documents than needed."""
    stored: dict[Key, list[_Stored]] = defaultdict(list)
    for document in found:
        key = natural_key_of(model, document)
        is_ours = document.get("publisher") == PUBLISHER
        is_same = key in intended and not _differing(model, intended[key], document)
        stored[key].append(_Stored(document["_id"], is_ours=is_ours, is_same=is_same))
    kept = {key: _best(stored[key]) for key in intended.keys() & stored.keys()}
    leftover = [
        (key, document)
        for key, group in stored.items()
        for document in group
        if document != kept.get(key)
    ]
    return _Plan(
        inserts={
            key: ObjectId(document_id(model.collection, key)) for key in intended if key not in kept
        },
        updates={key: kept[key].identifier for key in kept if not kept[key].is_same},
        stale=[document.identifier for _, document in leftover if document.is_ours],
        foreign_duplicates=sum(not document.is_ours and key in kept for key, document in leftover),
    )


def _best(group: Sequence[_Stored]) -> _Stored:
    """Choose which of several documents of one key stays: ours, else the first by `_id`."""
    return min(group, key=lambda one: (not one.is_ours, not one.is_same, str(one.identifier)))


def _write(
    collection: Collection[Document],
    model: type[PublishedDocument],
    targets: Mapping[Any, Document],
    *,
    as_of: datetime,
) -> None:
    """Write one batch, touching only fields that are ours or were."""
    _make_room(collection, model, targets)
    beside: Document = {"$setOnInsert": {"created_at": as_of, **model.first_values}}
    if model.retired:  # MongoDB refuses an empty $unset
        beside["$unset"] = dict.fromkeys(sorted(model.retired), "")
    collection.bulk_write(
        [
            UpdateOne(
                {"_id": identifier},
                {"$set": _assignments(model, document) | {"updated_at": as_of}, **beside},
                upsert=True,
            )
            for identifier, document in targets.items()
        ],
        ordered=False,
    )


def _make_room(
    collection: Collection[Document],
    model: type[PublishedDocument],
    targets: Mapping[Any, Document],
) -> None:
    """Take out what stands in the place of an open map and is none: no key could be set in it."""
    for name in sorted(model.open_maps):
        is_no_map = {"$exists": True, "$not": {"$type": "object"}}
        collection.update_many(
            {"_id": {"$in": list(targets)}, name: is_no_map}, {"$unset": {name: ""}}
        )


def _assignments(model: type[PublishedDocument], document: Document) -> Document:
    """Return what to set: whole fields, and of open maps our own keys one by one."""
    whole = {name: value for name, value in document.items() if name not in model.open_maps}
    inner = {
        f"{name}.{key}": value for name in model.open_maps for key, value in document[name].items()
    }
    return whole | inner


def _read_back(
    collection: Collection[Document],
    model: type[PublishedDocument],
    targets: Mapping[Any, Document],
) -> None:
    """Refuse to go on if a document is not stored as it was written."""
    found = {
        document["_id"]: document for document in collection.find({"_id": {"$in": list(targets)}})
    }
    for identifier, document in targets.items():
        differing = _differing(model, document, found.get(identifier, {}))
        if differing:
            message = (
                f"{model.collection} {natural_key_of(model, document)} reads back with another "
                f"{differing} than was written: another writer is changing the same documents, "
                "stop it and publish again"
            )
            raise ServingRefusedError(message)


def _delete(
    collection: Collection[Document], model: type[PublishedDocument], stale: Iterable[Any]
) -> int:
    """Delete documents of ours and return how many; one that changed hands meanwhile stays.

    Where people decide in the documents themselves, one that somebody has resolved stays too: the
    decision may have come after the night read them.
    """
    condition: Document = {"publisher": PUBLISHER}
    if model.open_maps:
        condition["resolved_at"] = None
    return sum(
        collection.delete_many({"_id": {"$in": identifiers}, **condition}).deleted_count
        for identifiers in _batches(stale)
    )


def _differing(model: type[PublishedDocument], intended: Document, stored: Document) -> list[str]:
    """Return the fields in which a stored document is not what it should be, retired ones too."""
    if intended.items() <= stored.items() and not model.retired & stored.keys():
        return []  # nearly always, and a fifth of the time of field by field
    content = [
        name
        for name, value in intended.items()
        if name not in model.bookkeeping and not _is_stored(model, name, value, stored)
    ]
    return content + sorted(model.retired & stored.keys())


def _is_stored(model: type[PublishedDocument], name: str, value: Any, stored: Document) -> bool:
    """Tell whether a field is stored as it should be; of an open map, whether our own keys are."""
    if name not in model.open_maps:
        return name in stored and bool(stored[name] == value)
    held = stored.get(name)
    return isinstance(held, dict) and all(
        key in held and held[key] == inner for key, inner in value.items()
    )


def _batches(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    """Cut a stream into lists of at most `BATCH_DOCUMENTS`."""
    remaining = iter(items)
    while batch := list(islice(remaining, BATCH_DOCUMENTS)):
        yield batch
