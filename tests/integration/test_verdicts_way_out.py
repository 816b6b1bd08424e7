"""A person's verdict in MongoDB frees or keeps a bar, night after night, whatever is killed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from pipelines.documents.values import midnight_of
from pipelines.markets.recorded import RecordedMarket
from pipelines.markets.sample import load_sample_market
from resources.anomaly_publishing import EVENTS, QUARANTINE, publish_trail
from resources.anomaly_sightings import note_sightings
from resources.serving import Serving
from resources.verdicts import ReviewedVerdicts
from tests.support.lake import CALENDAR, DERIVATIONS
from tests.support.landed_bodies import LandedNights, assert_equals_scratch, body_of

NIGHTS = CALENDAR.sessions(date(2012, 6, 18), date(2012, 7, 3))
BAD = date(2012, 6, 11)
DECIDED = datetime(2026, 3, 1, 12, tzinfo=UTC)
STEPS = ("verdicts", "ingest", "anomalies", "quarantine", "clean", "sightings", "publish", "events")

MongoDatabase = Database[dict[str, Any]]


@pytest.fixture(scope="module")
def market() -> RecordedMarket:
    """Some months of the sample market."""
    bars = load_sample_market().bars
    return RecordedMarket("sample", "XNYS", bars.filter(bars["session"] >= date(2012, 3, 1)))


def with_copies(body: dict[str, Any], copies: dict[date, date]) -> dict[str, Any]:
    """Return a body in which bars are those of earlier days, to the digit."""
    series = dict(body["Time Series (Daily)"])
    for day, copied in copies.items():
        traded = {key: series[copied.isoformat()][key] for key in _fields(series)}
        series[day.isoformat()] = series[day.isoformat()] | traded
    return {**body, "Time Series (Daily)": series}


def _fields(series: dict[str, dict[str, str]]) -> list[str]:
    """Return the fields that tell what was traded."""
    names = ("open", "high", "low", "close", "volume")
    return [key for key in next(iter(series.values())) if key.endswith(names) and "adj" not in key]


@dataclass
class QualityNights:
    """Nights from the verdicts to the published quarantine, which may end after any step."""

    nights: LandedNights
    serving: Serving
    market: RecordedMarket

    def run(self, session: date, copies: dict[date, date], *, steps: int = len(STEPS)) -> None:
        """Run the first steps of a night in which the vendor's bars are copies of others."""
        night, lake = self.nights.night(session), self.nights.lake
        body = with_copies(body_of(self.market, "IBM", session), copies)
        derive = [
            lambda derivation=derivation: lake.bring_up_to_date(derivation, night=night)
            for derivation in DERIVATIONS[:3]
        ]
        work: list[Callable[[], object]] = [
            lambda: ReviewedVerdicts(lake=lake, serving=self.serving).land(night=night),
            lambda: self.nights.ingest(session, {"IBM": body}),
            *derive,
            lambda: note_sightings(lake, night=night),
            *(
                lambda trail=trail: publish_trail(
                    trail, lake=lake, serving=self.serving, source="sample", as_of=night.as_of
                )
                for trail in (QUARANTINE, EVENTS)
            ),
        ]
        for step in work[:steps]:
            step()

    def state(self, day: date = BAD) -> tuple[int | None, float | None]:
        """Return the revision that is withheld and the clean close of a bar, if there are any."""
        held = self.nights.table("quarantined_prices").filter(symbol="IBM", session=day)
        clean = self.nights.table("clean_prices").filter(symbol="IBM", session=day)
        return held["revision"].max(), clean["close"].max()  # type: ignore[return-value]


@pytest.fixture
def desk(tmp_path: Path, serving: Serving, market: RecordedMarket) -> QualityNights:
    """A desk before its first night."""
    return QualityNights(LandedNights(tmp_path), serving, market)


def decide(
    database: MongoDatabase, resolution: str, *, revision: int = 1, day: date = BAD, hours: int = 0
) -> None:
    """Write a verdict as a person does."""
    said = {"resolved_at": DECIDED + timedelta(hours=hours), "metadata.resolution": resolution}
    done = database["quarantined_prices"].update_one(
        {"symbol": "IBM", "date": midnight_of(day), "revision": revision},
        {"$set": {**said, "metadata.note": "seen"}},
    )
    assert done.matched_count == 1


def close_of(market: RecordedMarket, day: date) -> float:
    """Return a recorded close of IBM."""
    return float(market.bars.filter(symbol="IBM", session=day)["close"].item())


@pytest.mark.slow
def test_release_confirm_revise_and_release_again_end_right(
    desk: QualityNights, database: MongoDatabase, market: RecordedMarket
) -> None:
    """Each night obeys the latest word on the newest revision, and nothing is forgotten."""
    first, other = {BAD: date(2012, 6, 4)}, {BAD: date(2012, 6, 6)}
    desk.run(NIGHTS[0], first)
    assert desk.state() == (1, None), "a bar that came before is withheld"
    decide(database, "release")
    desk.run(NIGHTS[1], first)
    assert desk.state() == (None, close_of(market, first[BAD]))
    decide(database, "confirm", hours=1)
    desk.run(NIGHTS[2], first)
    assert desk.state() == (1, None)
    desk.run(NIGHTS[3], other)
    assert desk.state() == (2, None), "the vendor's new bar is judged afresh"
    decide(database, "release", revision=2, hours=2)
    desk.run(NIGHTS[4], other)
    assert desk.state() == (None, close_of(market, other[BAD]))
    decide(database, "release", hours=3)
    desk.run(NIGHTS[5], other)
    assert desk.state() == (None, close_of(market, other[BAD])), "an old revision's verdict"
    desk.run(NIGHTS[6], {})
    assert desk.state() == (None, close_of(market, BAD))
    trail = desk.nights.table("verdicts").select("revision", "resolution", "collection")
    assert trail.rows() == [
        (revision, resolution, "quarantined_prices")
        for revision, resolution in [(1, "release"), (1, "confirm"), (1, "release"), (2, "release")]
    ]
    statuses = {one["revision"]: one["metadata"] for one in database["quarantined_prices"].find()}
    assert {revision: kept["resolution"] for revision, kept in statuses.items()} == {
        1: "release",
        2: "release",
    }
    assert_equals_scratch(desk.nights)


@pytest.mark.slow
def test_a_verdict_written_and_a_night_killed_between_any_two_steps(
    desk: QualityNights, database: MongoDatabase
) -> None:
    """A person would decide again and again, and be ignored."""
    days = CALENDAR.sessions(date(2012, 5, 14), date(2012, 6, 15))[:: len(STEPS) // 3]
    copies = {day: CALENDAR.previous(CALENDAR.previous(day)) for day in days[: len(STEPS)]}
    desk.run(NIGHTS[0], copies)
    withheld = set(desk.nights.table("quarantined_prices")["session"])
    assert withheld == set(copies), "each step has a bar of its own"
    for number, day in enumerate(copies):
        desk.run(NIGHTS[number + 1], copies, steps=number)
        decide(database, "release", day=day)
        desk.run(NIGHTS[number + 2], copies)
        assert desk.state(day)[0] is None, f"killed after {STEPS[:number]}"
        kept = database["quarantined_prices"].find_one({"date": midnight_of(day)})
        assert kept is not None
        assert kept["metadata"].items() >= {"resolution": "release", "note": "seen"}.items()
    assert desk.nights.table("verdicts")["session"].to_list() == list(copies)
    assert desk.nights.table("quarantined_prices").is_empty()


def test_without_a_server_the_landed_verdicts_stand(
    desk: QualityNights, database: MongoDatabase
) -> None:
    """The night can still ingest; the next one looks again."""
    first = {BAD: date(2012, 6, 4)}
    desk.run(NIGHTS[0], first)
    decide(database, "release")
    nobody = Serving(uri="mongodb://127.0.0.1:9/", connect_seconds=0.1)
    lake = desk.nights.lake
    night = desk.nights.night(NIGHTS[1])
    landed = ReviewedVerdicts(lake=lake, serving=nobody).land(night=night)
    assert landed.verdicts == ()
    assert "the verdicts that were landed before stand" in landed.faults[0]
    database["data_quality_events"].update_one(
        {}, {"$set": {"resolved_at": DECIDED, "metadata.resolution": "relaese"}}
    )
    again = ReviewedVerdicts(lake=lake, serving=desk.serving).land(night=night)
    assert [one.resolution for one in again.verdicts] == ["release"]
    assert "'relaese'" in again.faults[0]
    decide(database, "confirm")
    changed = ReviewedVerdicts(lake=lake, serving=desk.serving).land(night=night)
    assert changed.verdicts == ()
    assert any("set resolved_at anew" in fault for fault in changed.faults)
