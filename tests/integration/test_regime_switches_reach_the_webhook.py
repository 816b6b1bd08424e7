"""Changes of regime over real HTTP: sure and live ones, told once, in no night's way."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from assets.regimes_report import switch_event
from pipelines.regimes.names import MARKET
from pipelines.regimes.rows import SCHEMA
from pipelines.regimes.tables import REGIME_STATES
from pipelines.tables import NIGHTS
from resources.lake import Lake
from resources.regime_switches import RegimeSwitches
from resources.webhook import IDEMPOTENCY_HEADER, Webhook
from tests.support.lake import SESSIONS, copy_of, temporary_lake
from tests.support.receiver import Receiver, webhook_receiver
from tests.support.regime_markets import nights_of

BEFORE, TONIGHT, NEXT = nights_of(SESSIONS[-3:])


def state(symbol: str, *, night: Any = TONIGHT, regime: str, **changes: Any) -> dict[str, Any]:
    """Return a sure regime as a row of the lake."""
    chances = {"bullish": 0.0, "bearish": 0.0, "sideways": 0.0, "volatile": 0.0} | {
        regime: changes.pop("chance", 0.9)
    }
    return {
        **dict.fromkeys(SCHEMA, 0.0),
        "recipe": "r",
        "applies_from": SESSIONS[0],
        "last_seen": night.session,
        "symbol": symbol,
        "session": night.session,
        "night_id": night.night_id,
        "origin": "live",
        "regime": regime,
        "sessions_in_regime": 1,
        "abstain_reason": None,
        "foretold": None,
        **chances,
        **changes,
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake in which the market and IBM have changed tonight, and others not surely or not now."""
    lake = temporary_lake(tmp_path_factory.mktemp("lakes") / "lake")
    nights = [
        {"market": one.market, "session": one.session, "night_id": one.night_id, "as_of": one.as_of}
        | {
            "origin": one.origin.value,
            "lake_snapshot": None,
            "is_published": None,
            "manifest": None,
        }
        for one in (BEFORE, TONIGHT, NEXT)
    ]
    rows = [
        state(MARKET, night=BEFORE, regime="bullish"),
        state("IBM", night=BEFORE, regime="sideways"),
        state("AAPL", night=BEFORE, regime="bullish"),
        state("GE", night=BEFORE, regime="bullish"),
        state("IBM", regime="volatile", chance=0.95),
        state(MARKET, regime="bearish", chance=0.8),
        state("AAPL", regime="bearish", chance=0.79),
        state("GE", regime="bullish"),
        state("YOUNG", regime="bearish"),
    ]
    lake.commit(
        lambda writer: writer.append(NIGHTS, pl.DataFrame(nights)), night=TONIGHT, message=""
    )
    put(lake, rows)
    return lake


@pytest.fixture
def lake(made: Lake, tmp_path: Path) -> Lake:
    """A copy of it that a test may change."""
    return copy_of(made, tmp_path / "lake")


def put(lake: Lake, rows: list[dict[str, Any]]) -> None:
    """Write rows of `regime_states`."""
    frame = pl.DataFrame(rows, schema=SCHEMA)
    lake.commit(lambda writer: writer.append(REGIME_STATES, frame), night=TONIGHT, message="")


def switches_of(lake: Lake, url: str = "", **changes: Any) -> RegimeSwitches:
    """Return what tells changes of a lake to an address."""
    webhook = Webhook(url=url, timeout_seconds=2.0)
    return RegimeSwitches(lake=lake, webhook=webhook, **changes)


def told(receiver: Receiver) -> list[dict[str, Any]]:
    """Return what the receiver was told, call by call."""
    return [json.loads(body) for body in receiver.bodies]


def test_a_sure_change_is_told_once_the_market_first(lake: Lake) -> None:
    """A rerun, or the next night, that called again would be switched off."""
    with webhook_receiver() as receiver:
        switches = switches_of(lake, receiver.url)
        first = switches.tell([TONIGHT])
        for nights in ([TONIGHT], [NEXT]):
            assert switches.tell(nights).delivered == 0
    assert (first.delivered, first.waiting, first.fault) == (1, 0, None)
    (call,), (headers,) = told(receiver), receiver.headers
    assert (call["kind"], call["market"]) == ("regime_switches", "sample")
    assert (call["session"], call["switches"]) == (TONIGHT.session.isoformat(), 2)
    assert call["told"] == [
        {"symbol": MARKET, "before": "bullish", "regime": "bearish"}
        | {"confidence": 0.8, "is_by_refit": False},
        {"symbol": "IBM", "before": "sideways", "regime": "volatile"}
        | {"confidence": 0.95, "is_by_refit": False},
    ]
    assert headers[IDEMPOTENCY_HEADER] == f"regime_switches-{TONIGHT.night_id}"


def test_what_is_sure_enough_can_be_set(lake: Lake) -> None:
    """AAPL's change is likely, but not so likely as is asked by default."""
    asked = {0.79: {MARKET, "IBM", "AAPL"}, 0.8: {MARKET, "IBM"}, 0.9: {"IBM"}, 0.99: set()}
    for confidence, symbols in asked.items():
        found = switches_of(lake, confidence=confidence).between(TONIGHT.session, TONIGHT.session)
        assert set(found["symbol"]) == symbols


def test_a_webhook_that_is_gone_fails_nothing_and_is_called_by_the_next_night(lake: Lake) -> None:
    """A night must not wait for a person's pager; its address holds a token."""
    with webhook_receiver(status=500) as receiver:
        calls = switches_of(lake, receiver.url).tell([TONIGHT])
        assert (calls.delivered, calls.waiting) == (0, 1)
        assert calls.fault == "the webhook answered HTTP 500"
    gone = switches_of(lake, receiver.url).tell([TONIGHT])
    assert "was not reached" in str(gone.fault)
    assert "s3cr3t-token" not in str(gone)
    assert switches_of(lake).tell([TONIGHT]).fault == "no webhook is set"
    with webhook_receiver() as receiver:
        assert switches_of(lake, receiver.url).tell([NEXT]).delivered == 1
    assert [call["session"] for call in told(receiver)] == [TONIGHT.session.isoformat()]


def test_what_a_backfill_finds_is_no_news(lake: Lake) -> None:
    """Years that are filled in would call for help once a month of them."""
    put(lake, [state(MARKET, night=NEXT, regime="volatile", origin="backfill")])
    with webhook_receiver() as receiver:
        switches_of(lake, receiver.url).tell([NEXT])
    assert [call["session"] for call in told(receiver)] == [TONIGHT.session.isoformat()]


def test_news_of_a_week_ago_is_no_news(lake: Lake) -> None:
    """A webhook that is set up after a year would be told of the whole year."""
    late = [replace(NEXT, session=TONIGHT.session + timedelta(days=10))]
    with webhook_receiver() as receiver:
        assert switches_of(lake, receiver.url).tell(late).delivered == 0
    assert receiver.bodies == []


def test_a_change_by_a_new_fit_says_so(lake: Lake) -> None:
    """In January a name may move because the model did, not the market."""
    put(lake, [state("IBM", night=NEXT, regime="bullish", applies_from=NEXT.session)])
    found = switches_of(lake).between(NEXT.session, NEXT.session)
    assert found.select("symbol", "regime_before", "is_by_refit").rows() == [
        ("IBM", "volatile", True)
    ]
    event = switch_event(REGIME_STATES.name, found)
    assert event.description == "regimes that changed with confidence: 1"
