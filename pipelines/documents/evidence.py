"""Figures behind a judgement, as a map that MongoDB and JSON can always hold.

What rules and detectors measured comes as JSON text from the lake. A single NaN would make the
backend's whole answer an error, and a name with a dot could be reached by no query.
"""

import json
import math
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator

from pipelines.documents.values import LARGEST_MONGO_INTEGER, round_significant


def evidence_of(text: object) -> dict[str, Any]:
    """Return evidence from its JSON text, or from a map, as it may be published.

    Raises:
        ValueError: it is no map.
    """
    found = json.loads(text) if isinstance(text, str) else text
    if not isinstance(found, Mapping):
        message = f"evidence {text!r} is no map: give each figure a name"
        raise ValueError(message)  # noqa: TRY004  pydantic reports values, not types
    return {_name(name): _publishable(value) for name, value in found.items()}


def _publishable(value: object) -> object:
    """Return a value in ten digits, null where it is not finite, maps and lists alike."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int) and abs(value) <= LARGEST_MONGO_INTEGER:
        return value
    if isinstance(value, float):
        return round_significant(float(value)) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {_name(name): _publishable(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_publishable(entry) for entry in value]
    return str(value)


def _name(name: object) -> str:
    """Return a map's key without what MongoDB reads as a path or an operator."""
    return str(name).replace(".", "_").replace("$", "_").replace("\x00", "_") or "_"


Evidence = Annotated[dict[str, Any], BeforeValidator(evidence_of)]
