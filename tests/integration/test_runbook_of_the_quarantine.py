"""The runbook's commands on a real server: a bar is released or confirmed as the page says."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from pipelines.nights import Night, Origin
from resources.anomaly_publishing import EVENTS, QUARANTINE, publish_trail
from resources.anomaly_sightings import note_sightings
from resources.lake import Lake
from resources.serving import Serving
from resources.settings import PROJECT_ROOT
from resources.verdicts import ReviewedVerdicts
from tests.support.lake import temporary_lake
from tests.support.mongo_shell import commands_of
from tests.support.quality_tables import AS_OF, NIGHT, put, with_sessions

MongoDatabase = Database[dict[str, Any]]
HEADLINE = "## A bar is in quarantine: what to do"
NOW = AS_OF + timedelta(hours=9)
NEXT_NIGHT = Night(NIGHT.market, NIGHT.session, AS_OF + timedelta(days=3), Origin.LIVE)


def section() -> str:
    """Return the section of the runbook."""
    text = (PROJECT_ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    return text.partition(HEADLINE)[2].partition("\n## ")[0]


LOOK, RELEASE, CONFIRM = commands_of(section())


@pytest.fixture
def lake(tmp_path: Path, serving: Serving) -> Lake:
    """A lake whose last night withheld and published the bar that the page is about."""
    lake = with_sessions(temporary_lake(tmp_path))
    put(lake, "daily_prices")
    put(lake, "price_anomalies")
    put(lake, "quarantined_prices")
    note_sightings(lake, night=NIGHT)
    publish(lake, serving)
    return lake


def publish(lake: Lake, serving: Serving) -> None:
    """Publish events and withheld bars as a night does."""
    for trail in (EVENTS, QUARANTINE):
        publish_trail(trail, lake=lake, serving=serving, source="sample", as_of=NEXT_NIGHT.as_of)


def test_the_page_finds_what_waits(lake: Lake, database: MongoDatabase) -> None:
    """A person begins here, with the sentence on what can be done."""
    (bar,) = LOOK.run(database, now=NOW)
    assert (bar["symbol"], bar["reasons"]) == ("IBM", ["close halved"])
    assert "metadata.resolution" in bar["how_to_resolve"]


@pytest.mark.parametrize(
    ("command", "resolution", "status"),
    [(RELEASE, "release", "released"), (CONFIRM, "confirm", "confirmed")],
    ids=["release", "confirm"],
)
def test_the_commands_of_the_page_are_obeyed(
    lake: Lake,
    serving: Serving,
    database: MongoDatabase,
    command: Any,
    resolution: str,
    status: str,
) -> None:
    """A command with a misspelt field would be acknowledged and do nothing."""
    assert command.run(database, now=NOW).modified_count == 1
    landed = ReviewedVerdicts(lake=lake, serving=serving).land(night=NEXT_NIGHT)
    assert landed.faults == ()
    (verdict,) = landed.verdicts
    assert (verdict.symbol, verdict.revision, verdict.resolution) == ("IBM", 1, resolution)
    assert (verdict.resolved_at, verdict.note) == (NOW, "your words")
    publish(lake, serving)
    assert LOOK.run(database, now=NOW) == []
    (bar,) = database["quarantined_prices"].find()
    assert (bar["status"], bar["resolved_at"]) == (status, NOW)
    assert bar["metadata"] == {
        "bar_date": "2013-03-01",
        "resolution": resolution,
        "note": "your words",
    }
    (event,) = database["data_quality_events"].find()
    assert event["metadata"]["status"] == status
