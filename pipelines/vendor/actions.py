"""Dividends and splits of the vendor into frames, strictly; rows keyed by (symbol, session).

The session is the day from which the action counts: the ex-date, the first day of the new shares.
It may lie ahead, for what is announced; whoever merges actions into bars leaves those out.
"""

from collections.abc import Sequence
from typing import Any

import polars as pl

from pipelines.vendor.payloads import UnreadableBody, dates, finite, json_object
from pipelines.vendor.responses import excerpt

DIVIDENDS, SPLITS = "dividends", "splits"
DIVIDENDS_SCHEMA = pl.Schema(
    {"symbol": pl.String, "session": pl.Date, "dividend_amount": pl.Float64}
)
SPLITS_SCHEMA = pl.Schema(
    {"symbol": pl.String, "session": pl.Date, "split_coefficient": pl.Float64}
)


def parse_dividends(body: str, *, symbol: str) -> pl.DataFrame:
    """Return the dividends of a DIVIDENDS body by ex-date, oldest first; a day's are added up.

    A row that is there twice, equal in every field, is one dividend that the vendor repeats.

    Raises:
        UnreadableBody: the body is not about the symbol, lacks a field, or has a value that is no
            date or no amount of at least 0.
    """
    rows = _rows(body, symbol, DIVIDENDS)
    distinct = list({tuple(sorted(row.items(), key=str)): row for row in rows}.values())
    days = _texts("ex_dividend_date", distinct, symbol, DIVIDENDS)
    amounts = _numbers("amount", distinct, symbol, DIVIDENDS)
    if (amounts < 0).any():
        raise UnreadableBody(symbol, f"'amount' is {amounts.min()!r}, below 0", what=DIVIDENDS)
    frame = pl.DataFrame(
        {"session": dates(days, symbol, what=DIVIDENDS), "dividend_amount": amounts}
    )
    totals = frame.group_by("session").agg(pl.col("dividend_amount").sort().sum()).sort("session")
    return totals.select(pl.lit(symbol).alias("symbol"), pl.all()).cast(DIVIDENDS_SCHEMA)


def parse_splits(body: str, *, symbol: str) -> pl.DataFrame:
    """Return the splits of a SPLITS body by the day from which they count, oldest first.

    Raises:
        UnreadableBody: the body is not about the symbol, lacks a field, has a day twice, or a
            value that is no date or no factor above 0.
    """
    rows = _rows(body, symbol, SPLITS)
    days = dates(_texts("effective_date", rows, symbol, SPLITS), symbol, what=SPLITS)
    factors = _numbers("split_factor", rows, symbol, SPLITS)
    if (factors <= 0).any():
        fault = f"'split_factor' is {factors.min()!r}, not above 0"
        raise UnreadableBody(symbol, fault, what=SPLITS)
    if days.is_duplicated().any():
        twice = days.filter(days.is_duplicated())[0]
        raise UnreadableBody(symbol, f"{twice} occurs twice", what=SPLITS)
    frame = pl.DataFrame({"session": days, "split_coefficient": factors}).sort("session")
    return frame.select(pl.lit(symbol).alias("symbol"), pl.all()).cast(SPLITS_SCHEMA)


def _rows(body: str, symbol: str, what: str) -> list[dict[str, Any]]:
    """Return the rows of a body, once it is known to be about the symbol."""
    payload = json_object(body, symbol, what=what)
    named = payload.get("symbol")
    if not isinstance(named, str) or named.upper() != symbol.upper():
        raise UnreadableBody(symbol, f"'symbol' is {excerpt(named)}, not {symbol!r}", what=what)
    rows = payload.get("data")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UnreadableBody(symbol, f"'data' is {excerpt(rows)}, not a list of rows", what=what)
    return rows


def _texts(field: str, rows: Sequence[dict[str, Any]], symbol: str, what: str) -> list[str]:
    """Return one field of all rows: the vendor writes every value as text."""
    for row in rows:
        if not isinstance(row.get(field), str):
            fault = f"{field!r} is {excerpt(row.get(field))}, not a text, in {excerpt(row)}"
            raise UnreadableBody(symbol, fault, what=what)
    return [row[field] for row in rows]


def _numbers(field: str, rows: Sequence[dict[str, Any]], symbol: str, what: str) -> pl.Series:
    """Return one field of all rows as finite numbers."""
    written = pl.Series(_texts(field, rows, symbol, what), dtype=pl.String)
    numbers = finite(written)
    if numbers.has_nulls():
        wrong = excerpt(written.filter(numbers.is_null())[0])
        raise UnreadableBody(symbol, f"{field!r} is {wrong}, not a number", what=what)
    return numbers
