"""What was published of each symbol: our own note, kept beside the documents it speaks of.

Key: (published_collection, symbol). It stands in the same database, so a wiped or another database
has no marks and is filled anew. Deleting marks makes the next night compare every document.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import ClassVar

from pydantic import Field

from pipelines.documents.base import Index, PublishedDocument
from pipelines.documents.values import MapKey, Sha256, Symbol


class PublishingMark(PublishedDocument):
    """Fingerprints of one symbol's chunks in one collection, as they were last published."""

    collection: ClassVar[str] = "publishing_marks"
    natural_key: ClassVar[tuple[str, ...]] = ("published_collection", "symbol")
    indexes: ClassVar[tuple[Index, ...]] = (
        Index(
            "nightdesk_publishing_marks_natural_key",
            (("published_collection", 1), ("symbol", 1)),
            unique=True,
        ),
    )

    published_collection: str = Field(description="The collection that the mark speaks of.")
    symbol: Symbol = Field(description="Ticker, upper case.")
    recipe: Sha256 = Field(description="SHA-256 of model and source that the documents have.")
    fingerprints: dict[MapKey, str] = Field(
        description="Fingerprint of what each chunk was made from, by its month."
    )


def publishing_marks(
    collection: str, fingerprints: Mapping[str, Mapping[str, str]], *, recipe: str
) -> Iterator[PublishingMark]:
    """Make the marks of symbols whose chunks stand as their fingerprints say.

    A symbol without chunks has no mark.
    """
    for symbol, of_symbol in fingerprints.items():
        if of_symbol:
            yield PublishingMark(
                published_collection=collection,
                symbol=symbol,
                recipe=recipe,
                fingerprints=dict(of_symbol),
            )


def mark_scope(collection: str, symbols: Iterable[str]) -> dict[str, object]:
    """Return which marks speak of some symbols in a collection."""
    return {"published_collection": collection, "symbol": list(symbols)}
