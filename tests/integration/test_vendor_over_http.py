"""The client against the loopback vendor, over real HTTP."""

import logging
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime

import dagster as dg
import pytest
from polars.testing import assert_frame_equal

from pipelines.calendar import ExchangeCalendar
from pipelines.markets.recorded import RecordedMarket
from pipelines.markets.sample import load_sample_market
from pipelines.vendor.answers import Account
from pipelines.vendor.knowledge import VendorKnowledge
from pipelines.vendor.payloads import parse_daily_adjusted
from pipelines.vendor.reactions import Reactions
from pipelines.vendor.requests import VendorRequest, daily_request, listing_request
from pipelines.vendor.responses import VendorResponse
from resources.alpha_vantage import LIVE_ADDRESS, LOOPBACK_KEY, AlphaVantage
from resources.clocks import Clock, StandingClock
from resources.loopback_vendor import ServedRequest, serve
from resources.vendor_faults import Fault
from tests.support.clocks import SteppingClock
from tests.support.recorded_bars import bars_of, market_of

KEY = "SECRETKEY0123456"
AS_OF = datetime(2013, 3, 2, 1, 0, tzinfo=UTC)
CLOCK = StandingClock(AS_OF)
CALENDAR = ExchangeCalendar.of("XNYS")
NOTHING_KNOWN = VendorKnowledge()
CLOSES = [10.0 + row for row in range(120)]
SMALL = market_of(bars_of("AAA", CLOSES), bars_of("B&B", CLOSES), bars_of("CCC", CLOSES))


@pytest.fixture(scope="module")
def sample() -> RecordedMarket:
    """The sample market, loaded once."""
    return load_sample_market()


def client(**changes: object) -> AlphaVantage:
    """Return a client that does not dawdle."""
    settings: dict[str, object] = {
        "api_key": KEY,
        "plan": "premium_1200",
        "attempts": 2,
        "first_wait_seconds": 0.01,
    }
    return AlphaVantage(**settings | changes)


def hasty(**changes: object) -> AlphaVantage:
    """Return a client that soon gives up, for tests that let it wait.

    A second, since 0.3 seconds were too short for honest answers on a busy machine (4 of 6 runs).
    """
    return client(read_timeout_seconds=1.0, **changes)


FINAL_FAULTS = {Fault.HTML, Fault.GARBLED, Fault.OTHER_SYMBOL, Fault.SLOW_BODY}
"""What is not asked again; a slow body is a test of its own, by the clock on the wall."""


def ask(
    vendor: AlphaVantage,
    base_url: str,
    *requests: VendorRequest,
    known: VendorKnowledge = NOTHING_KNOWN,
    clock: Clock = CLOCK,
) -> list[VendorResponse]:
    """Ask and collect."""
    agenda = vendor.agenda(requests, rules=Reactions(known, AS_OF, CALENDAR))
    return list(vendor.fetch(agenda, base_url=base_url, clock=clock))


def ask_small(
    symbols: Sequence[str],
    *,
    vendor: AlphaVantage | None = None,
    account: Account | None = None,
    faults: Mapping[str, Sequence[Fault]] | None = None,
    outputsize: str = "compact",
    clock: SteppingClock | None = None,
) -> tuple[list[VendorResponse], list[ServedRequest]]:
    """Ask for symbols of the small market; return the responses and the server's log."""
    served: list[ServedRequest] = []
    requests = [daily_request(symbol, outputsize) for symbol in symbols]
    clock = clock or SteppingClock(AS_OF)
    with serve(
        SMALL,
        today=SMALL.last_session,
        account=account,
        faults=faults,
        served=served,
        now=clock.now,
    ) as base_url:
        return ask(vendor or client(), base_url, *requests, clock=clock), served


def outcomes(responses: Sequence[VendorResponse]) -> list[tuple[str, str]]:
    """Return symbol and outcome of each question, as its last attempt ended."""
    return [(one.request.symbol, one.outcome) for one in responses if one.is_last]


def test_the_full_history_arrives_as_it_was_recorded(sample: RecordedMarket) -> None:
    """A bar changed on its way through server, client and parser would falsify every number."""
    with serve(sample, today=sample.last_session) as base_url:
        response, *rest = ask(client(), base_url, daily_request("AAPL", "full"))
    assert rest == []
    assert (response.outcome, response.message, response.fetched_at) == ("data", None, AS_OF)
    bars = parse_daily_adjusted(response.body or "", symbol="AAPL")
    recorded = sample.bars.filter(symbol="AAPL")
    assert_frame_equal(
        bars.drop("adjusted_close"), recorded.drop("adjusted_close"), check_exact=True
    )
    assert_frame_equal(bars, recorded, rel_tol=1e-13, abs_tol=0)
    crash = bars.filter(session=date(2000, 9, 29)).row(0, named=True)
    assert (crash["close"], crash["split_coefficient"]) == (25.75, 1.0)


def test_a_split_makes_the_full_history_asked_for_next(sample: RecordedMarket) -> None:
    """The adjusted past changed with it; the other symbols wait their turn."""
    day, known = date(2005, 2, 28), date(2005, 2, 25)

    served: list[ServedRequest] = []
    plan = [daily_request("AAPL", "compact"), daily_request("IBM", "compact")]
    stored = VendorKnowledge(latest_sessions={"AAPL": known, "IBM": known})
    with serve(sample, today=day, served=served) as base_url:
        responses = ask(client(), base_url, *plan, known=stored)
    asked = [(request.query["symbol"], request.query["outputsize"]) for request in served]
    assert asked == [("AAPL", "compact"), ("AAPL", "full"), ("IBM", "compact")]
    assert {response.outcome for response in responses} == {"data"}
    newest = parse_daily_adjusted(responses[1].body or "", symbol="AAPL").tail(1)
    assert newest["session"].item() == day


def test_a_symbol_with_a_special_character_reaches_the_vendor_whole() -> None:
    """The package quotes nothing: "B&B" would become the symbol B and a parameter B."""
    responses, served = ask_small(["B&B"])
    assert outcomes(responses) == [("B&B", "data")]
    assert served[0].query == {
        "function": "TIME_SERIES_DAILY_ADJUSTED",
        "symbol": "B&B",
        "outputsize": "compact",
        "datatype": "json",
    }


def test_a_repeated_request_is_sent_once() -> None:
    """A follow-up may ask for what the plan asks for anyway."""
    responses, served = ask_small(["AAA", "AAA"])
    assert (len(responses), len(served)) == (1, 1)


@pytest.mark.parametrize("fault", [f for f in Fault if f not in FINAL_FAULTS])
def test_what_can_pass_is_asked_again(fault: Fault) -> None:
    """A night must not lose a symbol to a hiccup."""
    responses, served = ask_small(["AAA"], vendor=hasty(), faults={"AAA": [fault]})
    assert outcomes(responses) == [("AAA", "data")]
    assert [response.is_last for response in responses] == [False, True]
    assert responses[0].message
    assert [request.fault for request in served] == [fault, None]


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (Fault.TIMEOUT, "timeout"),
        (Fault.RESET, "connection"),
        (Fault.TRUNCATED, "connection"),
        (Fault.SERVER_ERROR, "http_status"),
        (Fault.BURST, "burst"),
        (Fault.CONTENT_TYPE, "content_type"),
    ],
)
def test_what_does_not_pass_is_told_and_the_others_go_on(fault: Fault, outcome: str) -> None:
    """One broken symbol must not cost the night, nor be retried without end."""
    responses, served = ask_small(["AAA", "CCC"], vendor=hasty(), faults={"AAA": [fault] * 9})
    assert outcomes(responses) == [("AAA", outcome), ("CCC", "data")]
    assert responses[0].message
    assert len(served) == 2 + 1


@pytest.mark.parametrize(
    ("symbol", "faults", "outcome"),
    [
        ("NOPE", [], "bad_call"),
        ("AAA", [Fault.HTML], "unreadable"),
        ("AAA", [Fault.GARBLED], "unreadable"),
        ("AAA", [Fault.OTHER_SYMBOL], "unreadable"),
    ],
    ids=["unknown symbol", "a page of HTML", "a value that is none", "another symbol"],
)
def test_what_can_not_pass_is_asked_once(symbol: str, faults: list[Fault], outcome: str) -> None:
    """Asking again costs one of 25 requests a day and changes nothing."""
    responses, served = ask_small([symbol, "CCC"], faults={symbol: faults})
    assert outcomes(responses) == [(symbol, outcome), ("CCC", "data")]
    assert [request.query["symbol"] for request in served] == [symbol, "CCC"]
    assert responses[0].body


def test_a_vendor_that_is_down_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    """Five hundred symbols, five attempts each, half a minute each: a night of nothing."""
    down = {symbol: [Fault.SERVER_ERROR] * 9 for symbol in ("AAA", "B&B", "CCC")}
    responses, _ = ask_small(
        ["AAA", "B&B", "CCC"], vendor=client(faults_in_a_row=2, attempts=1), faults=down
    )
    assert outcomes(responses) == [("AAA", "http_status"), ("B&B", "http_status")]
    assert "1 requests are left for the next night" in caplog.text


def test_nobody_listening_is_a_fault_of_the_connection() -> None:
    """The server's port is closed once its block is left."""
    with serve(SMALL, today=SMALL.last_session) as base_url:
        pass
    responses = ask(client(), base_url, daily_request("AAA", "compact"))
    assert [(one.outcome, one.body) for one in responses] == [("connection", None)] * 2


def test_the_daily_cap_ends_the_run() -> None:
    """What is left is for tomorrow: each further request would be refused."""
    free, clock = Account(plan="free", requests_today=24), SteppingClock(AS_OF)
    served: list[ServedRequest] = []
    requests = [
        VendorRequest("TIME_SERIES_DAILY", symbol, (("outputsize", "compact"),))
        for symbol in ("AAA", "B&B", "CCC")
    ]
    with serve(
        SMALL, today=SMALL.last_session, account=free, served=served, now=clock.now
    ) as base_url:
        responses = ask(client(plan="free"), base_url, *requests, clock=clock)
    assert outcomes(responses) == [("AAA", "data"), ("B&B", "daily_cap")]
    assert len(served) == 2
    assert KEY not in (responses[1].body or "")
    assert "API key as [redacted] and" in (responses[1].message or "")


def test_what_the_plan_refuses_is_not_asked_for_every_symbol() -> None:
    """On a free key each refusal costs one of 25 requests; the free functions stand in."""
    responses, served = ask_small(
        ["AAA", "B&B"],
        account=Account(plan="free"),
        outputsize="full",
        clock=SteppingClock(AS_OF, step=1.0),
    )
    assert [request.query["function"] for request in served] == [
        "TIME_SERIES_DAILY_ADJUSTED",
        "TIME_SERIES_DAILY",
        "TIME_SERIES_DAILY",
        "SPLITS",
        "DIVIDENDS",
        "TIME_SERIES_DAILY",
        "SPLITS",
        "DIVIDENDS",
    ]
    assert [one.outcome for one in responses] == ["premium"] * 2 + ["data"] * 6


def test_a_refused_key_ends_the_run_for_good() -> None:
    """A retry by the orchestrator would ask the same with the same key."""
    account = Account(key="another key")
    with serve(SMALL, today=SMALL.last_session, account=account) as base_url:
        vendor = client()
        agenda = vendor.agenda(
            [daily_request("AAA", "compact")], rules=Reactions(NOTHING_KNOWN, AS_OF, CALENDAR)
        )
        responses = vendor.fetch(agenda, base_url=base_url, clock=CLOCK)
        assert next(responses).outcome == "bad_key"
        with pytest.raises(dg.Failure, match="the vendor refused the key in ALPHA_VANT") as failed:
            next(responses)
    assert failed.value.allow_retries is False
    assert KEY not in str(failed.value)


def test_a_live_vendor_is_not_asked_without_a_key() -> None:
    """One sentence, before anything is sent."""
    with pytest.raises(dg.Failure, match="ALPHA_VANTAGE_API_KEY is not set") as failed:
        ask(client(api_key=" "), LIVE_ADDRESS, daily_request("IBM", "compact"))
    assert failed.value.allow_retries is False


def test_the_loopback_vendor_is_asked_without_a_key() -> None:
    """The sample market runs on a machine where nothing is set up."""
    responses, _ = ask_small(["AAA"], vendor=client(api_key=""), account=Account(key=LOOPBACK_KEY))
    assert outcomes(responses) == [("AAA", "data")]


def test_an_unknown_plan_is_named() -> None:
    """A misspelt plan must not become a pace."""
    with pytest.raises(dg.Failure, match=r"ALPHA_VANTAGE_PLAN='gold'.*premium_75"):
        ask_small(["AAA"], vendor=client(plan="gold"))


def test_an_unknown_function_is_named() -> None:
    """A typing error of ours is no fault of the vendor's."""
    request = VendorRequest("TIME_SERIES_DALY", "AAA")
    with pytest.raises(ValueError, match="'TIME_SERIES_DALY' is not asked for"):
        ask(client(), LIVE_ADDRESS, request)


@pytest.mark.parametrize(("plan", "count", "seconds"), [("free", 9, 8.0), ("premium_75", 90, 61.0)])
def test_requests_keep_the_pace_of_the_plan(plan: str, count: int, seconds: float) -> None:
    """The server refuses what comes too soon by its own clock, by second and by minute."""
    market = market_of(*(bars_of(f"S{row:03}", [10.0, 11.0]) for row in range(count)))
    clock, served = SteppingClock(AS_OF), list[ServedRequest]()
    requests = [
        VendorRequest("TIME_SERIES_DAILY", symbol, (("outputsize", "compact"),))
        for symbol in market.symbols
    ]
    with serve(
        market,
        today=market.last_session,
        account=Account(plan=plan),
        served=served,
        now=clock.now,
    ) as base_url:
        responses = ask(client(plan=plan), base_url, *requests, clock=clock)
    assert {response.outcome for response in responses} == {"data"}
    assert (len(served), clock.slept) == (count, pytest.approx(seconds))
    assert not any(request.is_over_limit for request in served)


@pytest.mark.parametrize(
    ("account", "words"),
    [("free", "1 request per second"), ("premium_75", "no more than 10 requests per second")],
)
def test_who_goes_too_fast_is_refused_by_the_servers_clock(account: str, words: str) -> None:
    """A server that checks nothing would prove nothing about the client."""
    clock, served = SteppingClock(AS_OF), list[ServedRequest]()
    more = [
        VendorRequest(f, s)
        for f in ("SPLITS", "DIVIDENDS", "OVERVIEW")
        for s in ("AAA", "B&B", "CCC")
    ]
    bars = [daily_request(s, size) for s in ("AAA", "B&B", "CCC") for size in ("compact", "full")]
    with serve(
        SMALL,
        today=SMALL.last_session,
        account=Account(plan=account),
        served=served,
        now=clock.now,
    ) as base_url:
        responses = ask(client(attempts=1, plan="loopback"), base_url, *more, *bars, clock=clock)
    bursts = [response for response in responses if response.outcome == "burst"]
    assert len(bursts) == sum(request.is_over_limit for request in served) > 0
    assert words in (bursts[0].message or "")


@pytest.mark.parametrize("plan", ["free", "loopback"])
def test_a_refusal_of_a_function_that_speaks_csv_alone_is_told(plan: str) -> None:
    """Its row of single letters would become a listing of the symbol I, named n."""
    account = Account(plan="free", requests_today=25)
    with serve(SMALL, today=SMALL.last_session, account=account) as base_url:
        (response,) = ask(client(plan=plan), base_url, listing_request("active"))
    assert response.outcome == "unrecognised"
    assert "'Informa'" in (response.message or "")
    with serve(SMALL, today=SMALL.last_session) as base_url:
        (response,) = ask(client(plan=plan), base_url, listing_request("active"))
    assert response.outcome == "data"


def test_a_body_that_drips_in_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    """No silence within it is long, so that no timeout of a socket ever ends it."""
    vendor = client(read_timeout_seconds=1.0, answer_seconds=0.3, attempts=1)
    with serve(SMALL, today=SMALL.last_session, faults={"AAA": [Fault.SLOW_BODY] * 9}) as base_url:
        (response,) = ask(vendor, base_url, daily_request("AAA", "compact"))
    assert (response.outcome, response.body) == ("timeout", None)
    assert "not complete after 0.3 seconds" in (response.message or "")


@pytest.mark.parametrize("key", [KEY, "odd key/+&=%,é-0123"])
def test_the_key_appears_nowhere(key: str, caplog: pytest.LogCaptureFixture) -> None:
    """Bodies are landed for years, logs are shipped and exceptions stored: none may hold it."""
    caplog.set_level(logging.DEBUG)
    vendor = hasty(api_key=key)
    faults = {"AAA": [Fault.RESET] * 2, "B&B": [Fault.TIMEOUT, Fault.BURST]}
    capped = Account(plan="free", key=key, requests_today=25)
    seen = []
    for symbols, account in (["AAA", "B&B", "CCC"], Account(key=key)), (["AAA"], capped):
        responses, served = ask_small(symbols, vendor=vendor, account=account, faults=faults)
        seen += [repr(responses), repr(served)]
        faults = {}
    with serve(SMALL, today=SMALL.last_session) as base_url:
        pass
    seen.append(repr(ask(vendor, base_url, daily_request("AAA", "compact"))))
    seen += [repr(vendor), str(vendor), caplog.text]
    assert "GET /query?function=TIME_SERIES_DAILY_ADJUSTED" in caplog.text
    assert "Max retries exceeded with url: /query" in seen[4]
    assert "[redacted]" in seen[2]
    for text in seen:
        assert key not in text
        assert key[:7] not in text


def test_the_server_leaves_no_thread_behind() -> None:
    """A test run, or the sample night, would hang at its end."""
    before = threading.active_count()
    ask_small(["AAA"], vendor=hasty(attempts=1), faults={"AAA": [Fault.TIMEOUT]})
    assert threading.active_count() == before


def test_the_server_answers_one_path_only() -> None:
    """A misspelt address must not look like a vendor without data."""
    with serve(SMALL, today=SMALL.last_session) as base_url:
        address = base_url.replace("/query", "/other")
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(address)  # noqa: S310 - our own loopback address
