"""The planner spends the day's requests where the staleness hurts most."""

import json
from datetime import date

import pytest

from pipelines.calendar import ExchangeCalendar
from pipelines.vendor.requests import (
    VendorRequest,
    daily_request,
    follow_ups,
    plan_daily_requests,
)
from tests.support.recorded_bars import FIRST_DAY, bars_of

CALENDAR = ExchangeCalendar.of("XNYS")
SESSION = date(2013, 3, 1)
SESSIONS = CALENDAR.sessions(date(2012, 1, 3), SESSION)


def test_symbols_never_seen_come_first_then_the_stalest_then_by_name() -> None:
    """With 25 requests a day the order decides who is served."""
    latest = {"IBM": SESSIONS[-2], "AAPL": SESSIONS[-2], "MSFT": SESSIONS[-9], "DONE": SESSION}
    plan = plan_daily_requests(
        ["MSFT", "IBM", "ZNEW", "AAPL", "DONE", "BNEW", "IBM"], latest, SESSION, calendar=CALENDAR
    )
    assert [request.symbol for request in plan] == ["BNEW", "ZNEW", "MSFT", "AAPL", "IBM"]


@pytest.mark.parametrize(
    ("missing", "outputsize"), [(1, "compact"), (100, "compact"), (101, "full")]
)
def test_a_compact_answer_is_asked_for_while_it_leaves_no_hole(
    missing: int, outputsize: str
) -> None:
    """The vendor sends 100 rows: the 101st missing session would never be filled."""
    latest = {"IBM": SESSIONS[-1 - missing]}
    assert plan_daily_requests(["IBM"], latest, SESSION, calendar=CALENDAR) == [
        daily_request("IBM", outputsize)
    ]


def test_a_compact_answer_is_counted_from_the_vendors_newest_session() -> None:
    """In a backfill the vendor's last 100 rows end long after the session that is asked for."""
    plan = plan_daily_requests(
        ["IBM"], {"IBM": SESSIONS[9]}, SESSIONS[10], calendar=CALENDAR, vendor_session=SESSION
    )
    assert plan == [daily_request("IBM", "full")]


def test_a_symbol_that_has_a_later_session_is_not_asked_for() -> None:
    """A backfill must not refetch what is there."""
    plan = plan_daily_requests(["IBM"], {"IBM": SESSION}, SESSIONS[5], calendar=CALENDAR)
    assert plan == []


@pytest.mark.parametrize(
    "changes",
    [{"split_coefficient": {4: 2.0}}, {"dividend_amount": {4: 0.25}}],
    ids=["split", "dividend"],
)
def test_a_later_event_in_a_compact_answer_asks_for_the_full_history(
    changes: dict[str, dict[int, float]],
) -> None:
    """The adjusted close of the whole past has changed, and 100 rows show a part of it."""
    rows = bars_of("IBM", [10.0] * 5, **changes)
    known = rows["session"][3]
    assert follow_ups(daily_request("IBM", "compact"), rows, known) == [
        daily_request("IBM", "full")
    ]


def test_an_event_that_is_known_asks_for_nothing() -> None:
    """Else every night would refetch twenty years for a dividend of last month."""
    rows = bars_of("IBM", [10.0] * 5, dividend_amount={2: 0.25})
    assert follow_ups(daily_request("IBM", "compact"), rows, rows["session"][2]) == []
    assert follow_ups(daily_request("IBM", "compact"), rows, FIRST_DAY) != []


def test_a_full_answer_asks_for_nothing() -> None:
    """It would ask for itself, for ever."""
    rows = bars_of("IBM", [10.0] * 5, split_coefficient={4: 2.0})
    assert follow_ups(daily_request("IBM", "full"), rows, None) == []


def test_the_query_is_the_same_however_its_parameters_were_given() -> None:
    """Landed requests are compared as text."""
    one = VendorRequest("F", "IBM", (("outputsize", "full"), ("datatype", "json")))
    other = VendorRequest("F", "IBM", (("datatype", "json"), ("outputsize", "full")))
    assert one == other
    assert json.loads(one.query_json) == {
        "function": "F",
        "symbol": "IBM",
        "datatype": "json",
        "outputsize": "full",
    }
