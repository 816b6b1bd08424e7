"""Bodies of Alpha Vantage into frames, strictly: a body is read as a whole or not at all.

Only the form is judged here. A price of zero or below is readable; the hard rules quarantine it.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import polars as pl

from pipelines.markets.recorded import BAR_SCHEMA
from pipelines.vendor.responses import excerpt

PLAIN_FIELDS = {
    "1. open": "open",
    "2. high": "high",
    "3. low": "low",
    "4. close": "close",
    "5. volume": "volume",
}
"""Fields of TIME_SERIES_DAILY, and our columns."""
DAILY_FIELDS = {
    "1. open": "open",
    "2. high": "high",
    "3. low": "low",
    "4. close": "close",
    "5. adjusted close": "adjusted_close",
    "6. volume": "volume",
    "7. dividend amount": "dividend_amount",
    "8. split coefficient": "split_coefficient",
}
"""Fields of TIME_SERIES_DAILY_ADJUSTED, and our columns."""
DAILY_SERIES = "Time Series (Daily)"
PLAIN_SCHEMA = pl.Schema(
    {name: BAR_SCHEMA[name] for name in ("symbol", "session", *PLAIN_FIELDS.values())}
)
"""Bars without what only the adjusted series tells: corporate actions and the adjusted close."""


class UnreadableBody(ValueError):  # noqa: N818 - the word that the vendor's refusals are told by
    """A body that no row may be taken from; the message names symbol, fault, value and way out."""

    def __init__(self, symbol: str, fault: str, *, what: str = "daily bars") -> None:
        """Name the symbol and what is wrong with its body."""
        super().__init__(
            f"{symbol}: the vendor's {what} can't be read: {fault}. Nothing of this body was "
            "taken; it is asked for again on the next night, and kept as it came in vendor_bodies"
        )
        self.fault = fault


def parse_daily_adjusted(body: str, *, symbol: str) -> pl.DataFrame:
    """Return the bars of a TIME_SERIES_DAILY_ADJUSTED body, oldest first, in `BAR_SCHEMA`.

    Raises:
        UnreadableBody: the body is not JSON or cut short, is about another symbol, lacks a field,
            has a date twice or a value that is not a finite number.
    """
    return _bars(body, symbol, DAILY_FIELDS).select(BAR_SCHEMA.names())


def parse_daily(body: str, *, symbol: str) -> pl.DataFrame:
    """Return the bars of a TIME_SERIES_DAILY body, oldest first, in `PLAIN_SCHEMA`.

    Raises:
        UnreadableBody: as of `parse_daily_adjusted`.
    """
    return _bars(body, symbol, PLAIN_FIELDS).select(PLAIN_SCHEMA.names())


def _bars(body: str, symbol: str, fields: Mapping[str, str]) -> pl.DataFrame:
    """Return the fields of a daily series as columns, oldest first."""
    days = _days(json_object(body, symbol), symbol)
    columns = {
        column: _numbers(field, days, symbol, is_whole=column == "volume")
        for field, column in fields.items()
    }
    frame = pl.DataFrame({"session": dates(list(days), symbol), **columns})
    return frame.with_columns(pl.lit(symbol).alias("symbol")).sort("session")


def json_object(body: str, symbol: str, *, what: str = "daily bars") -> dict[str, Any]:
    """Read a JSON object, refusing a name that occurs twice: Python would keep the last one.

    Raises:
        UnreadableBody: the body is anything else, or cut short.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            names = [name for name, _ in pairs]
            repeated = next(name for name in found if names.count(name) > 1)
            raise UnreadableBody(symbol, f"{excerpt(repeated)} occurs twice", what=what)
        return found

    try:
        payload = json.loads(body, object_pairs_hook=unique)
    except (json.JSONDecodeError, RecursionError) as error:
        raise UnreadableBody(
            symbol, f"not JSON, or cut short ({error}), it starts {excerpt(body)}", what=what
        ) from None
    if not isinstance(payload, dict):
        raise UnreadableBody(symbol, f"not a JSON object but {excerpt(payload)}", what=what)
    return payload


def _days(payload: dict[str, Any], symbol: str) -> dict[str, dict[str, Any]]:
    """Return the fields by date, once the body is known to be about the symbol."""
    about = payload.get("Meta Data")
    named = about.get("2. Symbol") if isinstance(about, dict) else None
    if not isinstance(named, str) or named.upper() != symbol.upper():
        raise UnreadableBody(symbol, f"'2. Symbol' is {excerpt(named)}, not {symbol!r}")
    days = payload.get(DAILY_SERIES)
    if not isinstance(days, dict) or not days:
        raise UnreadableBody(symbol, f"{DAILY_SERIES!r} is {excerpt(days)}, not a table of days")
    for day, fields in days.items():
        if not isinstance(fields, dict):
            raise UnreadableBody(symbol, f"{excerpt(day)} is {excerpt(fields)}, not a bar")
    return days


def dates(written: Sequence[str], symbol: str, *, what: str = "daily bars") -> pl.Series:
    """Return dates, refusing what is not exactly YYYY-MM-DD.

    Raises:
        UnreadableBody: one of them is anything else.
    """
    texts = pl.Series("session", written, dtype=pl.String)
    found = texts.str.to_date("%Y-%m-%d", strict=False)
    # strptime also reads "2025-1-6": only a date that is written back the same is one.
    is_date = (found.dt.strftime("%Y-%m-%d") == texts).fill_null(value=False)
    if not is_date.all():
        wrong = excerpt(texts.filter(~is_date)[0])
        raise UnreadableBody(symbol, f"{wrong} is not a date", what=what)
    return found


def _numbers(
    field: str, days: dict[str, dict[str, Any]], symbol: str, *, is_whole: bool
) -> pl.Series:
    """Return one field of all days as finite numbers, whole ones for shares."""
    try:
        texts = [fields[field] for fields in days.values()]
    except KeyError:
        day = next(day for day, fields in days.items() if field not in fields)
        raise UnreadableBody(symbol, f"{field!r} is missing on {day}") from None
    is_text = [isinstance(text, str) for text in texts]
    if not all(is_text):  # the vendor writes every number as text
        _refuse_first(field, days, symbol, is_text)
    numbers = finite(pl.Series(texts, dtype=pl.String), is_whole=is_whole)
    if numbers.has_nulls():
        _refuse_first(field, days, symbol, numbers.is_not_null().to_list())
    return numbers


def finite(written: pl.Series, *, is_whole: bool = False) -> pl.Series:
    """Return texts as finite numbers, null where one is anything else."""
    numbers = written.cast(pl.Int64 if is_whole else pl.Float64, strict=False)
    is_number = numbers.is_not_null() & numbers.is_finite().fill_null(value=False)
    return pl.select(pl.when(is_number).then(numbers)).to_series()


def _refuse_first(
    field: str, days: dict[str, dict[str, Any]], symbol: str, is_good: list[bool]
) -> NoReturn:
    """Refuse the body, naming the first value that is not good."""
    day = list(days)[is_good.index(False)]
    raise UnreadableBody(symbol, f"{field!r} on {day} is {excerpt(days[day][field])}, not a number")
