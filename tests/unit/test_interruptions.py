"""A symbol with a large hole just behind it has no opinion, until enough rows came after."""

from collections.abc import Sequence
from datetime import date

import duckdb
import polars as pl
import pytest

from pipelines.calendar import ExchangeCalendar
from pipelines.signals.interruptions import INTERRUPTED_QUERY

SESSIONS = ExchangeCalendar.of("XNYS").sessions(date(2010, 1, 4), date(2013, 3, 1))


def interrupted(rows: Sequence[int], asked: Sequence[int]) -> list[int]:
    """Return at which asked sessions a symbol with bars on some rows of the calendar is named."""
    days = [SESSIONS[row] for row in rows]
    clean_prices = pl.DataFrame({"symbol": ["IBM"] * len(days), "session": days})
    exchange_sessions = pl.DataFrame({"session": SESSIONS})
    with duckdb.connect() as connection:
        connection.register("clean_prices", clean_prices.to_arrow())
        connection.register("exchange_sessions", exchange_sessions.to_arrow())
        named = connection.execute(
            INTERRUPTED_QUERY, {"sessions": [SESSIONS[row] for row in asked]}
        ).fetchall()
    return [SESSIONS.index(session) for _, session in named]


@pytest.mark.parametrize(
    ("missing", "is_named"), [(21, False), (22, True), (120, True), (400, True)]
)
def test_a_hole_of_more_than_a_month_is_named_however_long(missing: int, is_named: bool) -> None:
    """A hole that is longer than the look-back must not look like a first listing."""
    back = 50 + missing
    rows = [*range(50), *range(back, back + 100)]
    assert bool(interrupted(rows, [back])) is is_named
    after = [back + 62, back + 63]
    assert interrupted(rows, after) == ([back + 62] if is_named else [])


def test_neither_a_first_listing_nor_a_session_without_a_bar_is_a_hole() -> None:
    """They have reasons of their own: short_history and stale."""
    assert interrupted(range(300, 400), [300, 350]) == []
    assert interrupted(range(100), [150]) == []
