"""Sessions that are due, cut into blocks of whole quarters that fit into memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from pipelines.anomalies.fit_schedule import period_start, quarter_start

QUARTER_SESSIONS = 63
BARS_AT_ONCE = 800_000
"""Bars whose profiles are made at once: about a gigabyte."""


@dataclass(frozen=True)
class Block:
    """Due sessions by the first day of their quarter, in order."""

    quarters: tuple[tuple[date, tuple[date, ...]], ...]

    @property
    def first(self) -> date:
        """The first due session."""
        return self.quarters[0][1][0]

    @property
    def last(self) -> date:
        """The last due session."""
        return self.quarters[-1][1][-1]

    def periods(self, first_bar: date) -> list[tuple[date, date, date]]:
        """Return the periods that one fit each judges: its start, first and last due session.

        Args:
            first_bar: The first day that the market has a bar of.
        """
        due = [day for _, days in self.quarters for day in days]
        grouped = groupby(due, key=lambda day: period_start(day, first=first_bar))
        spans = [(start, list(days)) for start, days in grouped]
        return [(start, days[0], days[-1]) for start, days in spans]


def blocks_of(due: Sequence[date], *, symbols: int) -> list[Block]:
    """Return due sessions in blocks, none of which spans more than the bars at once.

    One quarter is always a block, however many symbols it has.
    """
    most = max(1, BARS_AT_ONCE // (max(1, symbols) * QUARTER_SESSIONS))
    quarters = [(start, tuple(days)) for start, days in groupby(sorted(due), key=quarter_start)]
    gathered: list[list[tuple[date, tuple[date, ...]]]] = []
    for quarter in quarters:
        if gathered and _quarters_between(gathered[-1][0][0], quarter[0]) < most:
            gathered[-1].append(quarter)
        else:
            gathered.append([quarter])
    return [Block(tuple(block)) for block in gathered]


def _quarters_between(start: date, end: date) -> int:
    """Return how many quarters lie from the start of one to the start of another."""
    return 4 * (end.year - start.year) + (end.month - start.month) // 3
