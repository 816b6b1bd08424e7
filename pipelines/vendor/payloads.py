"""Bodies of Alpha Vantage into frames, strictly: a body is read as a whole or not at all.

Only the form is judged here. A price of zero or below is readable; the hard rules quarantine it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

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
WEEKLY_FIELDS = {
    "1. open": "open",
    "2. high": "high",
    "3. low": "low",
    "4. close": "close",
    "5. adjusted close": "adjusted_close",
    "6. volume": "volume",
    "7. dividend amount": "dividend_amount",
}
"""Fields of TIME_SERIES_WEEKLY_ADJUSTED, and our columns."""
DAILY_SERIES = "Time Series (Daily)"
WEEKLY_SERIES = "Weekly Adjusted Time Series"
VENDOR_ZONE = ZoneInfo("US/Eastern")
"""The zone of all instants that the vendor names, of foreign exchanges too."""
PLAIN_SCHEMA = pl.Schema(
    {name: BAR_SCHEMA[name] for name in ("symbol", "session", *PLAIN_FIELDS.values())}
)
"""Bars without what only the adjusted series tells: corporate actions and the adjusted close."""
WEEKLY_SCHEMA = pl.Schema(
    {name: BAR_SCHEMA[name] for name in ("symbol", "session", *WEEKLY_FIELDS.values())}
)
"""A weekly bar stands under the latest session of its week."""


@dataclass(frozen=True)
class Layout:
    """How a series of the vendor's is laid out.

    Attributes:
        series: The name of its table of days.
        fields: Its fields, and our columns.
        what: What it is called in messages.
    """

    series: str
    fields: Mapping[str, str]
    what: str = "daily bars"


ADJUSTED = Layout(DAILY_SERIES, DAILY_FIELDS)
_PLAIN = Layout(DAILY_SERIES, PLAIN_FIELDS)
_WEEKLY = Layout(WEEKLY_SERIES, WEEKLY_FIELDS, "weekly bars")


class UnreadableBody(ValueError):  # noqa: N818 - the word that the vendor's refusals are told by
    """A body that no row may be taken from; the message names symbol, fault, value and way out."""

    def __init__(self, symbol: str, fault: str, *, what: str = "daily bars") -> None:
        """Name the symbol and what is wrong with its body."""
        super().__init__(
            f"{symbol}: the vendor's {what} can't be read: {fault}. Nothing of this body was "
            "taken; it is asked for again on the next night, and kept as it came in vendor_bodies"
        )
        self.fault = fault


class RepeatingObject(dict[str, Any]):
    """A JSON object in which names of inner objects repeat; it holds the last of each."""

    def __init__(self, pairs: Sequence[tuple[str, Any]]) -> None:
        """Keep the last value of each name, and the others apart."""
        super().__init__(pairs)
        last = {name: place for place, (name, _) in enumerate(pairs)}
        self.others = [
            (name, value) for place, (name, value) in enumerate(pairs) if last[name] != place
        ]


@dataclass(frozen=True)
class DailyBody:
    """A daily series as it was sent.

    Attributes:
        bars: One bar a day, the last where a day comes more than once.
        repeated: The other bars of such days.
        is_full: Whether the body says that it is the whole history.
        refreshed_at: The instant that the vendor says its newest row is of, where it names one: it
            does while a session is running, and a day alone afterwards.
    """

    bars: pl.DataFrame
    repeated: pl.DataFrame
    is_full: bool
    refreshed_at: datetime | None = None


def parse_daily_adjusted(body: str, *, symbol: str) -> pl.DataFrame:
    """Return the bars of a TIME_SERIES_DAILY_ADJUSTED body, oldest first, in `BAR_SCHEMA`.

    Raises:
        UnreadableBody: as of `read_daily_adjusted`.
    """
    return read_daily_adjusted(body, symbol=symbol).bars


def parse_daily(body: str, *, symbol: str) -> pl.DataFrame:
    """Return the bars of a TIME_SERIES_DAILY body, oldest first, in `PLAIN_SCHEMA`.

    Raises:
        UnreadableBody: as of `read_daily_adjusted`.
    """
    return read_daily(body, symbol=symbol).bars


def read_daily_adjusted(body: str, *, symbol: str) -> DailyBody:
    """Read a TIME_SERIES_DAILY_ADJUSTED body; its bars are in `BAR_SCHEMA`.

    Raises:
        UnreadableBody: the body is not JSON or cut short, is about another symbol, lacks a field,
            or has a value that is not a finite number.
    """
    return _read(body, symbol, ADJUSTED, BAR_SCHEMA.names())


def read_daily(body: str, *, symbol: str) -> DailyBody:
    """Read a TIME_SERIES_DAILY body; its bars are in `PLAIN_SCHEMA`.

    Raises:
        UnreadableBody: as of `read_daily_adjusted`.
    """
    return _read(body, symbol, _PLAIN, PLAIN_SCHEMA.names())


def parse_weekly_adjusted(body: str, *, symbol: str) -> pl.DataFrame:
    """Return the bars of a TIME_SERIES_WEEKLY_ADJUSTED body, oldest first, in `WEEKLY_SCHEMA`.

    Raises:
        UnreadableBody: as of `read_daily_adjusted`, or a week comes twice.
    """
    read = _read(body, symbol, _WEEKLY, WEEKLY_SCHEMA.names())
    if read.repeated.height:
        fault = f"{read.repeated['session'][0]} occurs twice"
        raise UnreadableBody(symbol, fault, what=_WEEKLY.what)
    return read.bars


def named_symbol(body: str) -> str | None:
    """Return the symbol that a daily series says it is about, None where it says nothing."""
    try:
        about = json_object(body, "", may_repeat=True).get("Meta Data")
    except UnreadableBody:
        return None
    named = about.get("2. Symbol") if isinstance(about, dict) else None
    return named if isinstance(named, str) else None


def _read(body: str, symbol: str, layout: Layout, columns: list[str]) -> DailyBody:
    """Return the bars of a series, and those of days that come more than once."""
    payload = json_object(body, symbol, what=layout.what, may_repeat=True)
    days = days_of(payload, symbol, layout)
    others = days.others if isinstance(days, RepeatingObject) else []
    bars = _bars(list(days), list(days.values()), symbol, layout)
    repeated = (
        _bars([day for day, _ in others], [bar for _, bar in others], symbol, layout)
        if others
        else bars.clear()
    )
    return as_told(payload["Meta Data"], bars.select(columns), repeated.select(columns))


def as_told(about: Mapping[str, Any], bars: pl.DataFrame, repeated: pl.DataFrame) -> DailyBody:
    """Return bars with what the body says of itself."""
    return DailyBody(
        bars,
        repeated,
        str(about.get("4. Output Size", "")).startswith("Full"),
        _refreshed_at(str(about.get("3. Last Refreshed", ""))),
    )


def _refreshed_at(text: str) -> datetime | None:
    """Return the instant of "2025-11-06 14:35:00", US/Eastern; None of a day alone."""
    try:
        named = datetime.strptime(text, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007  the vendor names none
    except ValueError:
        return None
    return named.replace(tzinfo=VENDOR_ZONE).astimezone(UTC)


def _bars(days: list[str], bars: list[dict[str, Any]], symbol: str, layout: Layout) -> pl.DataFrame:
    """Return the fields of a series as columns, oldest first."""
    frame = read_at_once(days, bars, layout)
    if frame is None:  # which value is none is told field by field
        columns = {
            column: _numbers(field, days, bars, symbol, layout)
            for field, column in layout.fields.items()
        }
        frame = pl.DataFrame({"session": dates(days, symbol, what=layout.what), **columns})
    return frame.with_columns(pl.lit(symbol).alias("symbol")).sort("session")


def read_at_once(
    days: list[str], bars: list[dict[str, Any]], layout: Layout, *, may_lack: bool = False
) -> pl.DataFrame | None:
    """Return days and fields as columns; None where one of the values is not what it should be.

    With `may_lack` a value that is no number or date is null, as long as it is text.

    One statement for all columns: column by column a short body took 40 ms, most of it overhead.
    """
    try:
        texts = {column: [bar[field] for bar in bars] for field, column in layout.fields.items()}
        schema = dict.fromkeys(("session", *texts), pl.String)
        written = pl.DataFrame({"session": days, **texts}, schema=schema, strict=True)
    except (KeyError, TypeError):
        return None
    read = written.select(
        _date(pl.col("session")),
        *(_finite(pl.col(name), is_whole=name == "volume") for name in texts),
    )
    return None if not may_lack and sum(read.null_count().row(0)) else read


def json_object(
    body: str, symbol: str, *, what: str = "daily bars", may_repeat: bool = False
) -> dict[str, Any]:
    """Read a JSON object, refusing a name that occurs twice: Python would keep the last one.

    With `may_repeat`, an object whose repeated names hold objects is a `RepeatingObject`.

    Raises:
        UnreadableBody: the body is anything else, or cut short.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            names = [name for name, _ in pairs]
            repeated = next(name for name in found if names.count(name) > 1)
            if may_repeat and isinstance(found[repeated], dict):
                return RepeatingObject(pairs)
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


def days_of(payload: dict[str, Any], symbol: str, layout: Layout) -> dict[str, dict[str, Any]]:
    """Return the fields by date, once the body is known to be about the symbol."""
    about = payload.get("Meta Data")
    named = about.get("2. Symbol") if isinstance(about, dict) else None
    if not isinstance(named, str) or named.upper() != symbol.upper():
        fault = f"'2. Symbol' is {excerpt(named)}, not {symbol!r}"
        raise UnreadableBody(symbol, fault, what=layout.what)
    days = payload.get(layout.series)
    if isinstance(payload, RepeatingObject):
        fault = f"{excerpt(payload.others[0][0])} occurs twice"
        raise UnreadableBody(symbol, fault, what=layout.what)
    if not isinstance(days, dict) or not days:
        fault = f"{layout.series!r} is {excerpt(days)}, not a table of days"
        raise UnreadableBody(symbol, fault, what=layout.what)
    others = days.others if isinstance(days, RepeatingObject) else []
    for day, fields in [*days.items(), *others]:
        if not isinstance(fields, dict):
            fault = f"{excerpt(day)} is {excerpt(fields)}, not a bar"
            raise UnreadableBody(symbol, fault, what=layout.what)
    return days


def dates(written: Sequence[str], symbol: str, *, what: str = "daily bars") -> pl.Series:
    """Return dates, refusing what is not exactly YYYY-MM-DD.

    Raises:
        UnreadableBody: one of them is anything else.
    """
    texts = pl.Series("session", written, dtype=pl.String)
    found = texts.to_frame().select(_date(pl.col("session"))).to_series()
    if found.has_nulls():
        wrong = excerpt(texts.filter(found.is_null())[0])
        raise UnreadableBody(symbol, f"{wrong} is not a date", what=what)
    return found


def _date(written: pl.Expr) -> pl.Expr:
    """Return texts as dates, null where one is not exactly YYYY-MM-DD."""
    found = written.str.to_date("%Y-%m-%d", strict=False)
    # strptime also reads "2025-1-6": only a date that is written back the same is one.
    return pl.when(found.dt.strftime("%Y-%m-%d") == written).then(found)


def _numbers(
    field: str, days: list[str], bars: list[dict[str, Any]], symbol: str, layout: Layout
) -> pl.Series:
    """Return one field of all days as finite numbers, whole ones for shares."""
    try:
        texts = [bar[field] for bar in bars]
    except KeyError:
        day = next(day for day, bar in zip(days, bars, strict=True) if field not in bar)
        fault = f"{field!r} is missing on {day}"
        raise UnreadableBody(symbol, fault, what=layout.what) from None
    is_text = [isinstance(text, str) for text in texts]
    if not all(is_text):  # the vendor writes every number as text
        place = is_text.index(False)
        _refuse(field, days[place], texts[place], symbol, layout)
    is_whole = layout.fields[field] == "volume"
    numbers = finite(pl.Series(texts, dtype=pl.String), is_whole=is_whole)
    if numbers.has_nulls():
        place = numbers.is_null().arg_true()[0]
        _refuse(field, days[place], texts[place], symbol, layout)
    return numbers


def finite(written: pl.Series, *, is_whole: bool = False) -> pl.Series:
    """Return texts as finite numbers, null where one is anything else."""
    return pl.select(_finite(pl.lit(written), is_whole=is_whole)).to_series()


def _finite(written: pl.Expr, *, is_whole: bool) -> pl.Expr:
    """Return texts as finite numbers, null where one is anything else."""
    numbers = written.cast(pl.Int64 if is_whole else pl.Float64, strict=False)
    return pl.when(numbers.is_finite()).then(numbers)


def _refuse(field: str, day: str, value: object, symbol: str, layout: Layout) -> NoReturn:
    """Refuse the body for a value that is no number."""
    fault = f"{field!r} on {day} is {excerpt(value)}, not a number"
    raise UnreadableBody(symbol, fault, what=layout.what)
