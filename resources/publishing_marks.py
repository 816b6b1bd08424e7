"""Our notes of what was published, read and written beside the documents that they speak of."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from pymongo.database import Database

from pipelines.documents.publishing_mark import PublishingMark, mark_scope, publishing_marks
from resources.mongodb import Document
from resources.publishing_scope import PublishingScope
from resources.reconciliation import reconcile

Fingerprints = Mapping[str, Mapping[str, str]]
"""By symbol, then by the name of a chunk, what that was made from."""


def marked(database: Database[Document], collection: str, *, recipe: str) -> Fingerprints:
    """Return the fingerprints that documents of a collection were published by, of this recipe."""
    asked: dict[str, Any] = {"published_collection": collection, "recipe": recipe}
    return {
        mark["symbol"]: mark["fingerprints"]
        for mark in database[PublishingMark.collection].find(asked)
    }


def mark(
    database: Database[Document],
    collection: str,
    fingerprints: Fingerprints,
    *,
    recipe: str,
    as_of: datetime,
) -> None:
    """Note what documents of some symbols were published by; one without any loses its mark."""
    symbols: Collection[str] = fingerprints.keys()
    reconcile(
        database[PublishingMark.collection],
        PublishingMark,
        publishing_marks(collection, fingerprints, recipe=recipe),
        scope=PublishingScope.of(mark_scope(collection, symbols)),
        as_of=as_of,
    )
