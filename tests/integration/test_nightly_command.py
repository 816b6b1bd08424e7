"""`make nightly` as a person meets it: a short history, a wrong session, a wrong setting."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pymongo import MongoClient

from tests.support.receiver import webhook_receiver

ROOT = Path(__file__).resolve().parents[2]


def nightly(home: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the command with a state folder of its own."""
    unset = {"DAGSTER_HOME", "MONGODB_URI", "ALPHA_VANTAGE_API_KEY", "NIGHTDESK_WEBHOOK_URL"}
    inherited = {name: value for name, value in os.environ.items() if name not in unset}
    return subprocess.run(
        [sys.executable, "-m", "commands.nightly", *arguments],
        cwd=ROOT,
        env=inherited | {"NIGHTDESK_HOME": str(home)} | settings,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.slow
def test_a_short_history_publishes_signals_that_abstain(
    tmp_path: Path, mongod_uri: str, database_name: str
) -> None:
    """A new desk has no model for its first three years: its prices must be served all the same."""
    done = nightly(
        tmp_path,
        *("--session", "2000-09-29"),
        MONGODB_URI=mongod_uri,
        MONGODB_DATABASE=database_name,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the night goes on without a model" in done.stdout
    with MongoClient(mongod_uri) as client:
        signals = list(client[database_name]["ml_signals"].find())
        crash = client[database_name]["stock_price_daily"].find_one(
            {"symbol": "AAPL"}, sort=[("date", -1)]
        )
    assert {signal["abstain_reason"] for signal in signals if signal["symbol"] == "AAPL"} == {
        "no_model"
    }
    assert {signal["recommendation"] for signal in signals} == {"hold"}
    assert crash is not None
    assert crash["price_change_percent"] == pytest.approx(-51.87, abs=0.01), "a real crash stays"


def test_a_night_that_fails_calls_the_webhook_and_says_why(tmp_path: Path, mongod_uri: str) -> None:
    """No sensor sees a run of this command: it must call by itself."""
    with webhook_receiver() as receiver:
        done = nightly(
            tmp_path,
            *("--session", "2004-09-04"),
            MONGODB_URI=mongod_uri,
            MONGODB_DATABASE="never_written",
            NIGHTDESK_WEBHOOK_URL=receiver.url,
        )
    assert done.returncode != 0
    assert "2004-09-04 is not a session of XNYS" in done.stdout
    (alert,) = [json.loads(body) for body in receiver.bodies]
    assert alert["kind"] == "run_failed"
    assert alert["session"] == "2004-09-04"
    assert "is not a session" in alert["message"]


def test_a_wrong_setting_ends_in_one_sentence(tmp_path: Path) -> None:
    """A stack trace would hide what a person has to change."""
    done = nightly(tmp_path, NIGHTDESK_MARKET="nasdaq")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("nightdesk: NIGHTDESK_MARKET=nasdaq is wrong")
    assert len(done.stderr.splitlines()) == 1
