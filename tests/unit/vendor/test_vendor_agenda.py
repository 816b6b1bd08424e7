"""What is asked, in which order, how fast, and when it stops."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.calendar import ExchangeCalendar
from pipelines.nights import Night, Origin
from pipelines.vendor.agenda import Agenda
from pipelines.vendor.knowledge import Rejections, VendorKnowledge
from pipelines.vendor.limits import RateLimit, vendor_day_start
from pipelines.vendor.planning import plan_night
from pipelines.vendor.plans import PLANS
from pipelines.vendor.reactions import Reactions
from pipelines.vendor.requests import VendorRequest, daily_request, listing_request
from pipelines.vendor.responses import VendorResponse
from tests.support.recorded_bars import bars_of
from tests.support.vendor_bodies import daily_body

CALENDAR = ExchangeCalendar.of("XNYS")
SESSION = date(2013, 3, 1)
NOW = CALENDAR.known_at(SESSION)
NIGHT = Night("sample", SESSION, NOW, Origin.LIVE)
YESTERDAY = CALENDAR.previous(SESSION)
FREE, PREMIUM = PLANS["free"], PLANS["premium_75"]


def agenda(*symbols: str, plan: str = "free", spent: int = 0) -> Agenda:
    """Return an agenda of daily requests."""
    rules = Reactions(VendorKnowledge(), NOW, CALENDAR)
    requests = [daily_request(symbol, "full") for symbol in symbols]
    return Agenda(requests, plan=PLANS[plan], rules=rules, spent_today=spent, faults_in_a_row=2)


def answered(request: VendorRequest, outcome: str = "data", body: str = "{}") -> VendorResponse:
    """Return a response."""
    return VendorResponse(request, NOW, outcome, None, body)


def asked(todo: Agenda, outcomes: dict[str, str] | None = None) -> list[tuple[str, str]]:
    """Ask until the agenda ends; return functions and symbols."""
    found = []
    while (request := todo.next()) is not None:
        found.append((request.function, request.symbol))
        todo.note(answered(request, (outcomes or {}).get(request.symbol, "data")))
    return found


def planned(known: VendorKnowledge, *universe: str, plan: str = "free") -> list[tuple[str, str]]:
    """Return functions and symbols of a night's plan."""
    requests = plan_night(
        universe, known, NIGHT, calendar=CALENDAR, plan=PLANS[plan], now=NOW, preferred={"W"}
    )
    return [(request.function, request.symbol) for request in requests]


def test_a_free_key_asks_for_the_parts_without_being_refused_first() -> None:
    """The refusal would cost a request; full is refused too."""
    todo = agenda("IBM")
    first = todo.next()
    assert first == VendorRequest("TIME_SERIES_DAILY", "IBM", (("outputsize", "compact"),))
    assert asked(todo) == [("SPLITS", "IBM"), ("DIVIDENDS", "IBM")]


def test_the_budget_ends_the_night_and_what_was_spent_before_counts() -> None:
    """A restart would begin the day anew and be refused."""
    todo = agenda("IBM", "MSFT", spent=21)
    assert len(asked(todo)) == 4
    assert todo.ended_by == "the day's 25 requests are used up"
    assert todo.left == 2
    assert todo.affordable(5) == 0
    assert agenda("IBM", plan="premium_75", spent=10_000).affordable(5) == 5


def test_an_unknown_symbol_is_asked_nothing_more() -> None:
    """Its dividends and splits would cost two of 25 requests."""
    assert asked(agenda("NOPE", "IBM"), {"NOPE": "bad_call"}) == [
        ("TIME_SERIES_DAILY", "NOPE"),
        ("TIME_SERIES_DAILY", "IBM"),
        ("SPLITS", "IBM"),
        ("DIVIDENDS", "IBM"),
    ]


def test_the_cap_and_fault_after_fault_end_the_night() -> None:
    """Everything after it would be refused, or lost too."""
    capped = agenda("A", "B", "C", plan="premium_75")
    assert len(asked(capped, {"A": "daily_cap"})) == 1
    assert "2 requests are left" in (capped.ended_by or "")
    down = agenda("A", "B", "C", plan="premium_75")
    assert len(asked(down, dict.fromkeys("ABC", "timeout"))) == 2


def test_a_refusal_by_the_plan_is_learned_once() -> None:
    """With a plan set too high each symbol would cost a refusal."""
    found = asked(agenda("A", "B", plan="premium_75"), {})
    assert found == [("TIME_SERIES_DAILY_ADJUSTED", "A"), ("TIME_SERIES_DAILY_ADJUSTED", "B")]
    todo = agenda("A", "B", plan="premium_75")
    first = todo.next()
    assert first
    todo.note(answered(first, "premium"))
    assert [function for function, _ in asked(todo)] == [
        "TIME_SERIES_DAILY", "SPLITS", "DIVIDENDS", "TIME_SERIES_DAILY", "SPLITS", "DIVIDENDS",
    ]  # fmt: skip


def test_attempts_count_one_by_one() -> None:
    """Each is a request for the vendor, though it is one question for us."""
    todo = agenda("A", "B", plan="free", spent=23)
    request = todo.next()
    assert request
    todo.note(VendorResponse(request, NOW, "timeout", None, None, is_last=False))
    assert todo.affordable(5) == 1


def test_never_seen_come_first_then_watched_then_the_oldest() -> None:
    """With 25 requests a day the order decides who is served."""
    latest = {"W": YESTERDAY, "OLD": date(2013, 1, 2), "B": YESTERDAY, "DONE": SESSION}
    order = planned(VendorKnowledge(latest_sessions=latest), "B", "OLD", "W", "NEW", "DONE")
    assert [symbol for function, symbol in order if "DAILY" in function] == ["NEW", "W", "OLD", "B"]


def test_a_symbol_that_trades_no_more_does_not_stay_the_stalest() -> None:
    """It answers, without a new bar, and would be asked before all others every night."""
    known = VendorKnowledge(
        latest_sessions={"GONE": date(2012, 1, 3), "B": date(2013, 2, 20)},
        answered={("TIME_SERIES_DAILY", "GONE"): NOW - timedelta(days=1)},
    )
    order = [symbol for function, symbol in planned(known, "B", "GONE") if "DAILY" in function]
    assert order == ["B", "GONE"]
    left = VendorKnowledge(known.latest_sessions, known.answered, {}, {"GONE": date(2012, 1, 3)})
    for plan in ("free", "premium_75"):
        assert not [symbol for f, symbol in planned(left, "GONE", plan=plan) if "DAILY" in f]


@pytest.mark.parametrize(
    ("times", "hours", "is_asked"),
    [(1, 10, False), (1, 23, True), (2, 23, False), (2, 41, True), (9, 700, False), (9, 800, True)],
)
def test_an_unknown_symbol_is_tried_less_and_less_often(
    times: int, hours: int, is_asked: bool
) -> None:
    """A typing error in the universe costs ten requests in a year, a new listing is found."""
    known = VendorKnowledge(rejections={"X": Rejections(times, NOW - timedelta(hours=hours))})
    assert any("DAILY" in function for function, _ in planned(known, "X")) is is_asked
    asked = {function for function, _ in planned(known, "X", plan="premium_75")}
    assert ("TIME_SERIES_DAILY_ADJUSTED" in asked) is is_asked, "under every plan"


def test_listings_come_weekly_and_overviews_quarterly_after_the_bars() -> None:
    """They change slowly, and a stale price hurts more."""
    order = planned(VendorKnowledge(latest_sessions={"A": SESSION}), "A", "B", plan="premium_75")
    assert [function for function, _ in order] == [
        "TIME_SERIES_DAILY_ADJUSTED", "LISTING_STATUS", "LISTING_STATUS", "OVERVIEW", "OVERVIEW",
        "TIME_SERIES_WEEKLY_ADJUSTED", "TIME_SERIES_WEEKLY_ADJUSTED",
    ]  # fmt: skip
    recent = {
        ("LISTING_STATUS", "active"): NOW - timedelta(days=6),
        ("LISTING_STATUS", "delisted"): NOW - timedelta(days=8),
        ("OVERVIEW", "A"): NOW - timedelta(days=90),
        ("TIME_SERIES_WEEKLY_ADJUSTED", "A"): NOW - timedelta(days=6),
    }
    known = VendorKnowledge(latest_sessions={"A": SESSION}, answered=recent)
    assert planned(known, "A", plan="premium_75") == [("LISTING_STATUS", "")]


def test_actions_are_renewed_from_what_is_left_of_a_small_budget() -> None:
    """The oldest list first; a premium key gets them with the bars."""
    ages = {("SPLITS", "A"): 9, ("DIVIDENDS", "A"): 3, ("SPLITS", "B"): 20, ("DIVIDENDS", "B"): 6}
    ages |= {("OVERVIEW", "A"): 1, ("OVERVIEW", "B"): 1}
    ages |= {("LISTING_STATUS", "active"): 1, ("LISTING_STATUS", "delisted"): 1}
    ages |= {("TIME_SERIES_WEEKLY_ADJUSTED", "A"): 7, ("TIME_SERIES_WEEKLY_ADJUSTED", "B"): 7}
    known = VendorKnowledge(
        {"A": SESSION, "B": SESSION}, {key: NOW - timedelta(days=age) for key, age in ages.items()}
    )
    assert planned(known, "A", "B") == [("SPLITS", "B"), ("SPLITS", "A"), ("DIVIDENDS", "B")]
    assert planned(known, "A", "B", plan="premium_75") == []


def weekly(ages: dict[str, int], plan: str) -> list[str]:
    """Return the symbols whose weekly bars are asked for, given the days since the last."""
    answered = {
        ("TIME_SERIES_WEEKLY_ADJUSTED", s): NOW - timedelta(days=d) for s, d in ages.items()
    }
    symbols = ["A", "B", "C"]
    known = VendorKnowledge(dict.fromkeys(symbols, SESSION), answered)
    return [symbol for f, symbol in planned(known, *symbols, plan=plan) if "WEEKLY" in f]


def test_weekly_bars_come_last_the_oldest_first_and_less_often_on_a_free_key() -> None:
    """They only check the daily ones: no bar, list or overview may wait for them."""
    assert weekly({"A": 8, "B": 20}, "premium_75") == ["C", "B", "A"]
    assert weekly({"A": 8, "B": 29}, "free") == ["C", "B"]
    assert weekly({"A": 6, "B": 7, "C": 1}, "premium_75") == []
    order = planned(VendorKnowledge({"A": YESTERDAY}), "A", plan="premium_75")
    assert order[-1] == ("TIME_SERIES_WEEKLY_ADJUSTED", "A")


def test_weekly_bars_take_a_few_minutes_of_a_plan_by_the_minute() -> None:
    """At 75 a minute a universe of 10,000 would hold up the night for two hours."""
    symbols = [f"S{number:03}" for number in range(500)]
    known = VendorKnowledge(dict.fromkeys(symbols, SESSION))
    order = planned(known, *symbols, plan="premium_75")
    assert sum("WEEKLY" in function for function, _ in order) == 375
    order = planned(known, *symbols, plan="premium_150")
    assert sum("WEEKLY" in function for function, _ in order) == 500


def test_a_question_that_the_vendor_called_wrong_rests_for_a_week() -> None:
    """An index or a series that does not exist would cost a request every night."""
    function = "TIME_SERIES_WEEKLY_ADJUSTED"
    for days, is_asked in ((6, False), (8, True)):
        refused = {(function, "A"): NOW - timedelta(days=days)}
        refused |= {("INDEX_DATA", "SPX"): NOW - timedelta(days=days)}
        known = VendorKnowledge({"A": SESSION}, refused=refused)
        requests = plan_night(
            ["A"], known, NIGHT, calendar=CALENDAR, plan=PREMIUM, now=NOW, indexes=["SPX"]
        )
        functions = {request.function for request in requests}
        assert (function in functions) is is_asked
        assert ("INDEX_DATA" in functions) is is_asked


def test_a_later_event_in_adjusted_bars_asks_for_the_full_history() -> None:
    """The adjusted close of the whole past has changed."""
    body = daily_body(bars_of("IBM", [10.0, 11.0], dividend_amount={1: 0.5}))
    response = answered(daily_request("IBM", "compact"), body=body)

    def after(known: dict[str, date]) -> list[VendorRequest]:
        return Reactions(VendorKnowledge(known), NOW, CALENDAR).after(response)

    assert after({"IBM": date(2024, 1, 1)}) == [daily_request("IBM", "full")]
    assert after({"IBM": date(2024, 1, 2)}) == []
    broken = answered(daily_request("IBM", "compact"), body="{")
    assert Reactions(VendorKnowledge(), NOW, CALENDAR).after(broken) == []


def test_listings_are_asked_for_without_a_symbol() -> None:
    """The vendor would take an empty one for a wrong one."""
    assert listing_request("active").query == {"function": "LISTING_STATUS", "state": "active"}


def test_the_vendors_day_begins_at_midnight_in_new_york() -> None:
    """In summer at 04:00 UTC, in winter at 05:00."""
    assert vendor_day_start(datetime(2024, 7, 2, 3, 59, tzinfo=UTC)) == datetime(
        2024, 7, 1, 4, tzinfo=UTC
    )
    assert vendor_day_start(datetime(2024, 1, 2, 5, tzinfo=UTC)) == datetime(
        2024, 1, 2, 5, tzinfo=UTC
    )


@given(
    tokens=st.integers(1, 5),
    pauses=st.lists(st.floats(0, 2, allow_nan=False), max_size=40),
)
def test_no_stretch_of_time_sees_more_than_the_limit(tokens: int, pauses: list[float]) -> None:
    """A bucket that fills steadily lets twice as many through; the vendor refuses the rest."""
    limit, now, sent = RateLimit([(tokens, 1.0), (7, 10.0)]), 0.0, list[float]()
    for pause in pauses:
        now += pause
        now += limit.wait(now)
        limit.take(now)
        sent.append(now)
    for start in sent:
        assert sum(start <= instant < start + 1.0 - 1e-6 for instant in sent) <= tokens
        assert sum(start <= instant < start + 10.0 - 1e-6 for instant in sent) <= 7


def test_a_larger_plan_brings_the_history_that_a_free_key_was_refused() -> None:
    """Else a symbol would keep its 100 sessions, and its holes, until it next paid a dividend."""
    plain = {("TIME_SERIES_DAILY", "A"): NOW, ("TIME_SERIES_DAILY_ADJUSTED", "B"): NOW}
    known = VendorKnowledge({"A": YESTERDAY, "B": YESTERDAY}, plain)
    requests = plan_night(["A", "B"], known, NIGHT, calendar=CALENDAR, plan=PREMIUM, now=NOW)
    assert requests[:2] == [daily_request("A", "full"), daily_request("B", "compact")]
    on_free = plan_night(["A"], known, NIGHT, calendar=CALENDAR, plan=FREE, now=NOW)
    assert daily_request("A", "full") not in on_free
