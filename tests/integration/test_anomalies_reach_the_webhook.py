"""Grave anomalies over real HTTP: told once, in bounded calls, never in the way of the night."""

import hashlib
import hmac
import json
import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipelines.anomalies import calls
from pipelines.nights import Night, Origin
from resources.anomaly_calls import NO_WEBHOOK, call_about_anomalies
from resources.anomaly_sightings import note_sightings
from resources.lake import Lake
from resources.webhook import IDEMPOTENCY_HEADER, SIGNATURE_HEADER, Webhook
from tests.support.lake import copy_of, temporary_lake
from tests.support.quality_tables import AS_OF, NIGHT, put, with_sessions
from tests.support.receiver import Receiver, webhook_receiver

NEXT_NIGHT = Night(NIGHT.market, NIGHT.session, AS_OF + timedelta(days=1), Origin.LIVE)
MILD = {"severity": "medium", "is_withheld": False}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake whose last night has seen one grave anomaly and one that is not."""
    lake = with_sessions(temporary_lake(tmp_path_factory.mktemp("lakes") / "lake"))
    put(lake, "daily_prices")
    put(lake, "price_anomalies")
    put(lake, "bar_scores", isolation_score=0.9)
    put(lake, "quarantined_prices")
    put(lake, "price_anomalies", symbol="GE", **MILD)
    note_sightings(lake, night=NIGHT)
    return lake


@pytest.fixture
def lake(made: Lake, tmp_path: Path) -> Lake:
    """A copy of it that a test may change."""
    return copy_of(made, tmp_path / "lake")


def told(receiver: Receiver) -> list[dict[str, Any]]:
    """Return what the receiver was told, call by call."""
    return [json.loads(body) for body in receiver.bodies]


def noted(lake: Lake) -> int:
    """Return how many sightings the lake knows to be told."""
    return int(lake.read("SELECT count(*) FROM anomaly_calls").item())


def test_a_grave_anomaly_is_told_with_all_that_is_known(lake: Lake) -> None:
    """Whoever is called must be able to judge without opening a database."""
    with webhook_receiver() as receiver:
        report = call_about_anomalies(lake, Webhook(url=receiver.url, secret="hush"), night=NIGHT)
    assert (report.delivered, report.calls, report.waiting, report.fault) == (1, 1, 0, None)
    (call,), (headers,) = told(receiver), receiver.headers
    assert (call["kind"], call["market"], call["session"]) == (
        *("price_anomalies", "sample", "2013-03-01"),
    )
    (event,) = call["events"]
    assert (event["symbol"], event["severity"], event["data_type"]) == ("IBM", "high", "daily")
    assert event["occurred_at"] == AS_OF.isoformat()
    assert event["message"] == "close halved"
    assert event["scores"]["iso_score"] == 0.9
    assert event["metadata"]["bar_date"] == "2013-03-01"
    assert event["metadata"]["evidence"] == {"ratio": 0.5}
    assert headers[IDEMPOTENCY_HEADER] == call["idempotency_key"]
    digest = hmac.new(b"hush", receiver.bodies[0], hashlib.sha256).hexdigest()
    assert headers[SIGNATURE_HEADER] == f"sha256={digest}"


def test_each_sighting_is_told_once(lake: Lake) -> None:
    """A rerun, or the next night, that called again would be switched off."""
    with webhook_receiver() as receiver:
        webhook = Webhook(url=receiver.url)
        for night in (NIGHT, NIGHT, NEXT_NIGHT):
            call_about_anomalies(lake, webhook, night=night)
        assert len(receiver.bodies) == noted(lake) == 1
        put(lake, "price_anomalies", symbol="GE")
        note_sightings(lake, night=NEXT_NIGHT)
        call_about_anomalies(lake, webhook, night=NEXT_NIGHT)
    assert [one["symbol"] for one in told(receiver)[1]["events"]] == ["GE"]


def test_a_call_that_was_not_noted_comes_again_under_its_old_name(lake: Lake) -> None:
    """Killed between the call and the note, a night can't know; the receiver can."""
    with webhook_receiver() as receiver:
        for _ in range(2):
            call_about_anomalies(lake, Webhook(url=receiver.url), night=NIGHT)
            lake.commit(
                lambda writer: writer.connection.execute("DELETE FROM anomaly_calls"),
                night=NIGHT,
                message="forget the note",
            )
    assert len({headers[IDEMPOTENCY_HEADER] for headers in receiver.headers}) == 1
    assert len(receiver.bodies) == 2


def test_a_webhook_that_is_gone_fails_nothing_and_is_called_by_the_next_night(
    lake: Lake, caplog: pytest.LogCaptureFixture
) -> None:
    """A night must not wait for a person's pager; its address holds a token."""
    with webhook_receiver(status=500) as receiver, caplog.at_level(logging.ERROR):
        report = call_about_anomalies(lake, Webhook(url=receiver.url), night=NIGHT)
        assert (report.delivered, report.waiting) == (0, 1)
        assert report.fault == "the webhook answered HTTP 500"
        assert noted(lake) == 0
    gone = Webhook(url=receiver.url, timeout_seconds=1.0)
    report = call_about_anomalies(lake, gone, night=NIGHT)
    assert "was not reached" in str(report.fault)
    assert "s3cr3t-token" not in caplog.text + str(report)
    with webhook_receiver() as receiver:
        call_about_anomalies(lake, Webhook(url=receiver.url), night=NEXT_NIGHT)
    assert len(receiver.bodies) == noted(lake) == 1


def test_calls_and_their_size_are_bounded(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """A vendor that breaks everything would make a night of ten thousand calls."""
    monkeypatch.setattr(calls, "EVENTS_A_CALL", 2)
    monkeypatch.setattr(calls, "CALLS_A_NIGHT", 2)
    for number in range(4):
        put(lake, "price_anomalies", symbol=f"S{number}")
    note_sightings(lake, night=NIGHT)
    with webhook_receiver() as receiver:
        first = call_about_anomalies(lake, Webhook(url=receiver.url), night=NIGHT)
        second = call_about_anomalies(lake, Webhook(url=receiver.url), night=NEXT_NIGHT)
    assert (first.delivered, first.calls, first.waiting) == (4, 2, 1)
    assert (second.delivered, second.waiting) == (1, 0)
    assert [len(call["events"]) for call in told(receiver)] == [2, 2, 1]


def test_without_an_address_nothing_is_noted(lake: Lake) -> None:
    """Whoever sets one up next week hears of this week."""
    report = call_about_anomalies(lake, Webhook(), night=NIGHT)
    assert (report.delivered, report.waiting, report.fault) == (0, 1, NO_WEBHOOK)
    assert noted(lake) == 0


def test_what_is_older_than_a_week_or_explained_by_now_is_no_news(lake: Lake) -> None:
    """A webhook that is set up after a year would be told of the whole year."""
    put(lake, "price_anomalies", explanation="the index fell 20 %")
    with webhook_receiver() as receiver:
        webhook = Webhook(url=receiver.url)
        call_about_anomalies(lake, webhook, night=NIGHT)
        put(lake, "price_anomalies")
        late = Night(NIGHT.market, NIGHT.session, AS_OF + timedelta(days=8), Origin.LIVE)
        call_about_anomalies(lake, webhook, night=late)
        assert receiver.bodies == []
        call_about_anomalies(lake, webhook, night=NEXT_NIGHT)
    assert len(receiver.bodies) == 1
