"""Which stored documents a published set replaces."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Self

from pipelines.documents.values import to_mongo_value


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


def _choices(condition: object) -> Collection[object]:
    """Return the values that a condition allows; a text is one value."""
    if isinstance(condition, Collection) and not isinstance(condition, str | Mapping):
        return condition
    return (condition,)
