"""Which stored documents a published set replaces."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, Self

from pipelines.documents.price_series import Chunk, Chunking
from pipelines.documents.values import to_mongo_value


class Scope(Protocol):
    """The stored documents that a published set replaces."""

    def query(self) -> dict[str, Any]:
        """Return the scope as a MongoDB filter."""

    def require(self, document: Mapping[str, Any]) -> None:
        """Refuse a document outside the scope: its stored predecessor would not be found."""


@dataclass(frozen=True)
class PublishingScope:
    """Fields and the values each may have; no field at all means the whole collection."""

    allowed: Mapping[str, frozenset[Any]]

    @classmethod
    def of(cls, conditions: Mapping[str, object]) -> Self:
        """Make a scope from fields with a value, or with a collection of values, each."""
        return cls(
            {
                name: frozenset(to_mongo_value(value) for value in _choices(condition))
                for name, condition in conditions.items()
            }
        )

    def query(self) -> dict[str, Any]:
        """Return the scope as a MongoDB filter."""
        return {name: {"$in": list(values)} for name, values in self.allowed.items()}

    def require(self, document: Mapping[str, Any]) -> None:
        """Refuse a document outside the scope: its stored predecessor would not be found.

        Raises:
            ValueError: a field has a value that the scope does not name.
        """
        for name, values in self.allowed.items():
            if document.get(name) not in values:
                message = (
                    f"a document with {name}={document.get(name)!r} lies outside the scope of "
                    f"{len(values)} values for {name}: widen the scope or leave the document out"
                )
                raise ValueError(message)


@dataclass(frozen=True)
class ChunkScope:
    """Chunks of a price collection, whole or from a date on.

    Attributes:
        chunks: The chunks.
        chunking: How they are cut.
        since: The date from which a chunk is meant, where it is not meant whole.
    """

    chunks: frozenset[Chunk]
    chunking: Chunking
    since: Mapping[Chunk, datetime] = field(default_factory=dict)

    def query(self) -> dict[str, Any]:
        """Return the chunks as a MongoDB filter: symbols with the same dates share a clause."""
        names: dict[str, list[str]] = defaultdict(list)
        for symbol, name in sorted(self.chunks):
            names[symbol].append(name)
        symbols: dict[tuple[datetime, datetime], list[str]] = defaultdict(list)
        for symbol, of_symbol in names.items():
            for span in self._spans(symbol, of_symbol):
                symbols[span].append(symbol)
        return {
            "$or": [
                {"symbol": {"$in": of_span}, "date": {"$gte": first, "$lt": end}}
                for (first, end), of_span in symbols.items()
            ]
        }

    def require(self, document: Mapping[str, Any]) -> None:
        """Refuse a document outside the chunks.

        Raises:
            ValueError: its symbol and date lie in none of them.
        """
        chunk = (document["symbol"], self.chunking.name_of(document["date"]))
        since = self.since.get(chunk)
        if chunk not in self.chunks or (since and document["date"] < since):
            message = f"{chunk} is none of the {len(self.chunks)} chunks that are published: add it"
            raise ValueError(message)

    def _spans(self, symbol: str, names: Iterable[str]) -> list[tuple[datetime, datetime]]:
        """Return the spans of time that chunks in order of time cover, neighbours as one."""
        spans: list[tuple[datetime, datetime]] = []
        for name in names:
            begin, end = self.chunking.bounds_of(name)
            first = self.since.get((symbol, name), begin)
            if spans and spans[-1][1] == first:
                spans[-1] = (spans[-1][0], end)
            else:
                spans.append((first, end))
        return spans


def _choices(condition: object) -> Collection[object]:
    """Return the values that a condition allows; a text is one value."""
    if isinstance(condition, Collection) and not isinstance(condition, str | Mapping):
        return condition
    return (condition,)
