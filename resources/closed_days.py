"""Weekdays without a session, kept in the state folder from one start to the next.

Partitions are made when the code location loads. Asking `exchange_calendars` then would import
pandas and build forty years of schedule: a second of every start, for a list that changes with the
library's version and once a year.
"""

import json
from datetime import date
from importlib.metadata import version
from pathlib import Path

from pipelines.calendar import ExchangeCalendar


def closed_weekdays(exchange: str, first: date, last: date, *, folder: Path) -> list[date]:
    """Return the weekdays from `first` to `last` on which an exchange does not trade.

    Args:
        exchange: ISO 10383 code.
        first: First day to look at.
        last: Last day to look at.
        folder: Where the list is kept; a folder that can't be written costs time and nothing else.
    """
    library = version("exchange_calendars")
    kept = folder / f"{exchange}_{first}_{last}_{library}.json"
    try:
        return [date.fromisoformat(day) for day in json.loads(kept.read_text(encoding="utf-8"))]
    except (OSError, ValueError):  # not there yet, or cut off while it was written
        closed = ExchangeCalendar.of(exchange).closed_weekdays(first, last)
    _keep(kept, closed)
    return closed


def _keep(kept: Path, closed: list[date]) -> None:
    """Write the list where it can be written, whole or not at all."""
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        draft = kept.with_suffix(".draft")
        draft.write_text(json.dumps([day.isoformat() for day in closed]), encoding="utf-8")
        draft.replace(kept)
    except OSError:
        return  # a read-only state folder: the next start computes the list again
