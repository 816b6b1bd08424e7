"""INDEX_DATA of the vendor: the level of an index, session by session.

The layout was recorded from the vendor's public example in April 2026 (SPX, weekly):
`{"symbol", "name", "interval", "data": [{"date", "open", "high", "low", "close"}]}`, newest first,
every number a text ("6754.3"), no volume. Whether daily bars and other indexes look the same has
not been seen, so a number that is none but a mark for a missing one is read as missing.
"""

from collections.abc import Sequence
from typing import Any

import polars as pl

from pipelines.markets.indexes import INDEX_SCHEMA, INDEX_VALUES
from pipelines.vendor.payloads import UnreadableBody, dates, finite, json_object
from pipelines.vendor.responses import excerpt

_WHAT = "index"
_MISSING = {".", "None", "-", "", None}


def parse_index(body: str, *, symbol: str) -> pl.DataFrame:
    """Return the bars of a daily INDEX_DATA body, oldest first, in INDEX_SCHEMA.

    A day without a close is left out: the vendor writes "." where a series has no value.

    Raises:
        UnreadableBody: the body is no JSON object of this layout, about another index, of another
            interval, without one close, has a day twice, or a value that is no finite number.
    """
    payload = json_object(body, symbol, what=_WHAT)
    _refuse_another(payload, symbol)
    rows = payload.get("data")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        fault = f"'data' is {excerpt(rows)}, not a list of rows; it has {excerpt(sorted(payload))}"
        raise UnreadableBody(symbol, fault, what=_WHAT)
    shown = [row for row in rows if row.get("close") not in _MISSING]
    if not shown:
        raise UnreadableBody(symbol, f"none of its {len(rows)} rows has a close", what=_WHAT)
    days = dates([str(row.get("date")) for row in shown], symbol, what=_WHAT)
    if days.is_duplicated().any():
        twice = days.filter(days.is_duplicated())[0]
        raise UnreadableBody(symbol, f"{twice} occurs twice", what=_WHAT)
    values = {name: _numbers(name, shown, symbol) for name in INDEX_VALUES}
    frame = pl.DataFrame({"symbol": [symbol] * len(shown), "session": days, **values})
    return frame.cast(INDEX_SCHEMA).sort("session")


def _refuse_another(payload: dict[str, Any], symbol: str) -> None:
    """Refuse a body that says it is about another index, or of another interval than the day."""
    named = payload.get("symbol")
    if not isinstance(named, str) or named.upper() != symbol.upper():
        raise UnreadableBody(symbol, f"'symbol' is {excerpt(named)}, not {symbol!r}", what=_WHAT)
    interval = payload.get("interval")
    if interval not in {"daily", None}:
        fault = f"'interval' is {excerpt(interval)}, not 'daily'"
        raise UnreadableBody(symbol, fault, what=_WHAT)


def _numbers(name: str, rows: Sequence[dict[str, Any]], symbol: str) -> pl.Series:
    """Return one field of all rows as numbers, null where the vendor has none."""
    texts = [None if row.get(name) in _MISSING else str(row[name]) for row in rows]
    written = pl.Series(texts, dtype=pl.String)
    numbers = finite(written)
    is_wrong = written.is_not_null() & numbers.is_null()
    if is_wrong.any():
        place = is_wrong.arg_true()[0]
        fault = f"{name!r} on {rows[place]['date']} is {excerpt(texts[place])}, not a number"
        raise UnreadableBody(symbol, fault, what=_WHAT)
    return numbers
