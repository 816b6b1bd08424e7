"""LISTING_STATUS of the vendor: which symbols trade, and which have left; CSV alone."""

import csv
from collections.abc import Sequence

import polars as pl

from pipelines.vendor.payloads import UnreadableBody, dates
from pipelines.vendor.responses import excerpt

LISTING_HEADER = "symbol,name,exchange,assetType,ipoDate,delistingDate,status"
LISTING_SCHEMA = pl.Schema(
    {
        "symbol": pl.String,
        "status": pl.String,
        "name": pl.String,
        "exchange": pl.String,
        "asset_type": pl.String,
        "ipo_date": pl.Date,
        "delisting_date": pl.Date,
    }
)
_WHAT = "listings"
_NAMES = ("symbol", "name", "exchange", "asset_type", "ipo_date", "delisting_date", "status")


def letters_of_refusal(body: str) -> str | None:
    """Return the letters of a refusal in a CSV body, None where it is none.

    A row whose every cell is one character at most is a refusal, one letter a column, cut to the
    header's width: `I,n,f,o,r,m,a`. Which one it was is lost.
    """
    for row in csv.reader(body.splitlines()):
        if len(row) > 1 and all(len(cell) <= 1 for cell in row):
            return "".join(row)
    return None


def parse_listings(body: str, *, state: str) -> pl.DataFrame:
    """Return the listings of a LISTING_STATUS body, by symbol.

    A symbol that was used more than once keeps its latest listing.

    Args:
        body: The CSV text.
        state: `active` or `delisted`, as it was asked for: every row must say the same.

    Raises:
        UnreadableBody: the header is another, a row has another width, state or no symbol, a date
            is none, or there is no row of an active listing at all.
    """
    rows = list(csv.reader(body.splitlines()))
    if not rows or ",".join(rows[0]) != LISTING_HEADER:
        raise UnreadableBody(state, f"it starts {excerpt(body)}, not {LISTING_HEADER}", what=_WHAT)
    if not body.endswith("\n"):
        raise UnreadableBody(state, f"cut short, its last row is {excerpt(rows[-1])}", what=_WHAT)
    _refuse_wrong_rows(rows[1:], state)
    if state == "active" and len(rows) == 1:
        raise UnreadableBody(state, "not one symbol is active", what=_WHAT)
    columns = dict(zip(_NAMES, zip(*rows[1:], strict=True), strict=True)) if rows[1:] else {}
    return (
        pl.DataFrame(
            {
                "symbol": [symbol.upper() for symbol in columns.get("symbol", ())],
                **{name: columns.get(name, ()) for name in ("status", "name", "exchange")},
                "asset_type": columns.get("asset_type", ()),
                "ipo_date": _dates(columns.get("ipo_date", ()), state),
                "delisting_date": _dates(columns.get("delisting_date", ()), state),
            },
            schema=LISTING_SCHEMA,
        )
        .sort("symbol", "delisting_date", "ipo_date", "name", "exchange", nulls_last=False)
        .unique("symbol", keep="last", maintain_order=True)
    )


def _refuse_wrong_rows(rows: Sequence[Sequence[str]], state: str) -> None:
    """Refuse the body at its first row that can't be a listing."""
    for row in rows:
        if len(row) != len(_NAMES) or not row[0] or row[-1].lower() != state:
            raise UnreadableBody(state, f"{excerpt(row)} is no {state} listing", what=_WHAT)


def _dates(written: Sequence[str], state: str) -> pl.Series:
    """Return dates, null where the vendor writes `null` or nothing."""
    is_null = pl.Series([text in {"null", ""} for text in written], dtype=pl.Boolean)
    filled = ["1900-01-01" if text in {"null", ""} else text for text in written]
    found = dates(filled, state, what=_WHAT)
    return pl.select(pl.when(~is_null).then(found)).to_series()
