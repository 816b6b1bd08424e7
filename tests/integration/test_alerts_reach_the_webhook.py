"""Alerts over real HTTP: signed, taken once, and never in the way of the night."""

import hashlib
import hmac
import json
import logging
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import pytest

from pipelines.alerts import run_failed
from resources.market import Market
from resources.nights import Nights
from resources.webhook import SIGNATURE_HEADER, Webhook
from schedules.alerts import missing_nights
from tests.support.lake import temporary_lake
from tests.support.receiver import webhook_receiver

ALERT = run_failed(
    "nightly",
    market="sample",
    session=date(2013, 3, 1),
    message="the lake is busy",
    at=datetime(2013, 3, 2, 1, tzinfo=UTC),
)


def test_an_alert_arrives_signed() -> None:
    """An unsigned call to fetch someone out of bed could come from anyone."""
    with webhook_receiver() as receiver:
        assert Webhook(url=receiver.url, secret="hush").send(ALERT)
    (body,), (headers,) = receiver.bodies, receiver.headers
    assert json.loads(body) == ALERT.to_document()
    digest = hmac.new(b"hush", body, hashlib.sha256).hexdigest()
    assert headers[SIGNATURE_HEADER] == f"sha256={digest}"


def test_a_webhook_that_refuses_or_is_gone_is_only_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A night must not fail a second time because nobody listens; its address holds a token."""
    with webhook_receiver(status=500) as receiver, caplog.at_level(logging.ERROR):
        assert not Webhook(url=receiver.url).send(ALERT)
    assert not Webhook(url=receiver.url, secret="hush", timeout_seconds=1.0).send(ALERT)
    assert "answered HTTP 500" in caplog.text
    assert "was not reached" in caplog.text
    assert "s3cr3t-token" not in caplog.text
    assert "hush" not in caplog.text
    assert "s3cr3t-token" not in repr(Webhook(url=receiver.url, secret="hush"))


def test_without_an_address_the_alert_stands_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever has no webhook should still find the sentence."""
    assert not Webhook().send(ALERT)
    assert "the job nightly failed: the lake is busy" in caplog.text


def test_a_missing_night_is_told_once(tmp_path: Path) -> None:
    """The sensor looks every ten minutes; a call each time would be turned off by noon."""
    market = Market(name="alpha_vantage", universe_file="unused.txt")
    lake = temporary_lake(tmp_path / "lake", market="alpha_vantage")
    resources = {"market": market, "nights": Nights(lake=lake, market=market)}
    with (
        webhook_receiver() as receiver,
        dg.build_sensor_context(
            resources=resources | {"webhook": Webhook(url=receiver.url)}
        ) as context,
    ):
        first = missing_nights(context)
        assert isinstance(first, dg.SensorResult)
        assert len(receiver.bodies) == 1
        context.update_cursor(first.cursor)
        missing_nights(context)
        assert len(receiver.bodies) == 1
    assert json.loads(receiver.bodies[0])["kind"] == "night_missing"


def test_a_recording_misses_no_night(tmp_path: Path) -> None:
    """The sample market would call someone every day for a session of 2013."""
    market = Market(name="sample")
    lake = temporary_lake(tmp_path / "lake")
    resources = {"market": market, "nights": Nights(lake=lake, market=market)}
    with dg.build_sensor_context(resources=resources | {"webhook": Webhook()}) as context:
        assert isinstance(missing_nights(context), dg.SkipReason)
