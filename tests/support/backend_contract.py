"""The backend's read contract: its JSON schemas, and documents held against them."""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

SCHEMAS = Path(__file__).parent / "backend_schemas"
INDEX_OPTIONS = ("unique", "expireAfterSeconds")


def assert_valid(schema_name: str, document: Mapping[str, Any]) -> None:
    """Fail if a raw MongoDB document breaks the schema of a collection or a `payload.<Name>`.

    `_id` is left out and instants are taken as the ISO text that the backend would serve.
    """
    served = {name: _served(value) for name, value in document.items() if name != "_id"}
    faults = [
        f"{'.'.join(map(str, fault.path))}: {fault.message}"
        for fault in _validator(schema_name).iter_errors(served)
    ]
    assert not faults, f"{schema_name} {document.get('_id', '')}: {'; '.join(faults)}"


def backend_collections() -> dict[str, list[dict[str, Any]]]:
    """Return the indexes that the backend creates at boot, by collection."""
    schemas = [json.loads(path.read_text()) for path in sorted(SCHEMAS.glob("*.schema.json"))]
    return {
        schema["x-collection"]: schema["x-indexes"]
        for schema in schemas
        if "x-collection" in schema
    }


def index_options(index: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of one of the backend's indexes."""
    return {name: index[name] for name in INDEX_OPTIONS if name in index}


@cache
def _validator(schema_name: str) -> Draft202012Validator:
    """Return the validator of a schema, formats included."""
    schema = json.loads((SCHEMAS / f"{schema_name}.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=FormatChecker())


def _served(value: object) -> object:
    """Return a stored value as the backend's JSON holds it."""
    if isinstance(value, datetime):
        assert value.tzinfo is not None, f"{value} would be served without a time zone"
        return value.isoformat()
    if isinstance(value, Mapping):
        return {name: _served(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [_served(entry) for entry in value]
    return value
