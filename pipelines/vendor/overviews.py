"""Company overviews of the vendor: name, exchange, sector and industry of a symbol."""

import polars as pl

from pipelines.vendor.payloads import UnreadableBody, json_object
from pipelines.vendor.responses import excerpt

OVERVIEW_FIELDS = {
    "Name": "name",
    "Exchange": "exchange",
    "AssetType": "asset_type",
    "Sector": "sector",
    "Industry": "industry",
}
"""Fields of OVERVIEW, and our columns."""
OVERVIEW_SCHEMA = pl.Schema(dict.fromkeys(("symbol", *OVERVIEW_FIELDS.values()), pl.String()))
_WHAT = "company overview"
_MISSING = {"None", "-", ""}


def parse_overview(body: str, *, symbol: str) -> pl.DataFrame:
    """Return the row of an OVERVIEW body; none for `{}`, which says that the symbol is not known.

    What the vendor writes as "None" or "-" is null.

    Raises:
        UnreadableBody: the body is no JSON object, about another symbol, or lacks a field.
    """
    payload = json_object(body, symbol, what=_WHAT)
    if not payload:
        return pl.DataFrame(schema=OVERVIEW_SCHEMA)
    named = payload.get("Symbol")
    if not isinstance(named, str) or named.upper() != symbol.upper():
        raise UnreadableBody(symbol, f"'Symbol' is {excerpt(named)}, not {symbol!r}", what=_WHAT)
    row: dict[str, str | None] = {"symbol": symbol}
    for field, column in OVERVIEW_FIELDS.items():
        value = payload.get(field)
        if not isinstance(value, str):
            raise UnreadableBody(symbol, f"{field!r} is {excerpt(value)}, not a text", what=_WHAT)
        row[column] = None if value.strip() in _MISSING else value.strip()
    return pl.DataFrame([row], schema=OVERVIEW_SCHEMA)
