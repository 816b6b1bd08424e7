"""Bodies of many symbols read at once: one statement for the values of all.

Body by body, two thirds of the time of a short one is overhead of small frames.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pipelines.markets.recorded import BAR_SCHEMA
from pipelines.vendor.payloads import (
    ADJUSTED,
    DailyBody,
    RepeatingObject,
    UnreadableBody,
    as_told,
    days_of,
    json_object,
    read_at_once,
    read_daily_adjusted,
)

Outcome = DailyBody | UnreadableBody
"""What a body holds, or why nothing can be taken from it."""


@dataclass(frozen=True)
class _Sent:
    """A body of which every day comes once; its values are still texts."""

    place: int
    symbol: str
    about: Mapping[str, Any]
    days: Mapping[str, dict[str, Any]]


def read_many_daily_adjusted(bodies: Sequence[tuple[str, str]]) -> list[Outcome]:
    """Read symbols' TIME_SERIES_DAILY_ADJUSTED bodies, each as `read_daily_adjusted` reads it.

    A body in which a day comes twice, or a value is none, is read by itself.

    Args:
        bodies: Symbol and body.
    """
    read = _read_together(list(_sent(bodies)))
    return [
        read[place] if place in read else _read_alone(symbol, body)
        for place, (symbol, body) in enumerate(bodies)
    ]


def _read_alone(symbol: str, body: str) -> Outcome:
    """Return what a body holds, or why it can't be read."""
    try:
        return read_daily_adjusted(body, symbol=symbol)
    except UnreadableBody as error:
        return error


def _sent(bodies: Sequence[tuple[str, str]]) -> list[_Sent]:
    """Return the bodies that can be read with others."""
    sent = []
    for place, (symbol, body) in enumerate(bodies):
        try:
            payload = json_object(body, symbol, may_repeat=True)
            days = days_of(payload, symbol, ADJUSTED)
        except UnreadableBody:  # it is told of where it is read alone
            continue
        if not isinstance(days, RepeatingObject):
            sent.append(_Sent(place, symbol, payload["Meta Data"], days))
    return sent


def _read_together(sent: Sequence[_Sent]) -> dict[int, DailyBody]:
    """Return by their places the bodies whose values are all what they should be."""
    days = [day for one in sent for day in one.days]
    fields = [bar for one in sent for bar in one.days.values()]
    bars = read_at_once(days, fields, ADJUSTED, may_lack=True)
    if bars is None:
        return {}
    in_order = bars.with_columns(
        pl.Series("place", [one.place for one in sent for _ in one.days], dtype=pl.Int64),
        pl.Series("symbol", [one.symbol for one in sent for _ in one.days], dtype=pl.String),
    ).sort("place", "session")
    lacking = set(in_order.filter(pl.any_horizontal(pl.all().is_null()))["place"])
    bars = in_order.select(BAR_SCHEMA.names())
    read, start = dict[int, DailyBody](), 0
    for one in sent:
        if one.place not in lacking:
            read[one.place] = as_told(one.about, bars.slice(start, len(one.days)), bars.clear())
        start += len(one.days)
    return read
