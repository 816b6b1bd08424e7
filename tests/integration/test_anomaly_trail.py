"""What is found wrong reaches MongoDB once, and what became of it is told, never taken back."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from resources.anomaly_publishing import EVENTS, QUARANTINE, publish_trail
from resources.anomaly_sightings import note_sightings
from resources.lake import Lake
from resources.publishing_report import PublishingReport
from resources.serving import Serving
from tests.support.backend_contract import assert_valid
from tests.support.lake import CALENDAR, SESSIONS, copy_of, night_of, temporary_lake
from tests.support.quality_tables import AS_OF, NIGHT, put, take_out, with_sessions

MongoDatabase = Database[dict[str, Any]]
LATER = AS_OF + timedelta(days=3)
BEFORE = SESSIONS[-2]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake in which IBM's last bar is withheld, as a split that was not applied."""
    lake = with_sessions(temporary_lake(tmp_path_factory.mktemp("lakes") / "lake"))
    put(lake, "clean_prices", session=BEFORE, close=20.0)
    put(lake, "daily_prices")
    put(lake, "price_anomalies")
    put(lake, "bar_scores", isolation_score=0.93, volume_z_score=float("inf"))
    put(lake, "quarantined_prices")
    return lake


@pytest.fixture
def lake(made: Lake, tmp_path: Path) -> Lake:
    """A copy of it that a test may change."""
    return copy_of(made, tmp_path / "lake")


def publish(
    lake: Lake, serving: Serving, *, as_of: datetime = AS_OF
) -> tuple[PublishingReport, PublishingReport]:
    """Note and publish, as a night does."""
    note_sightings(lake, night=NIGHT)
    events, quarantine = (
        publish_trail(trail, lake=lake, serving=serving, source="sample", as_of=as_of)
        for trail in (EVENTS, QUARANTINE)
    )
    return events, quarantine


def the_event(database: MongoDatabase, **conditions: Any) -> dict[str, Any]:
    """Return the one event that there is, valid for the backend."""
    (event,) = database["data_quality_events"].find(conditions)
    assert_valid("data_quality_events", event)
    return event


def the_bar(database: MongoDatabase, **conditions: Any) -> dict[str, Any]:
    """Return the one withheld bar that there is."""
    (bar,) = database["quarantined_prices"].find(conditions)
    return bar


def test_a_withheld_bar_is_told_with_its_evidence(
    lake: Lake, serving: Serving, database: MongoDatabase
) -> None:
    """Whoever reads the dashboard must learn what is wrong, and what can be done about it."""
    publish(lake, serving)
    event, bar = the_event(database), the_bar(database)
    assert (event["symbol"], event["data_type"], event["severity"]) == ("IBM", "daily", "high")
    assert event["occurred_at"] == AS_OF
    assert (event["iso_score"], event["volume_z_score"]) == (0.93, None)
    assert event["price_change_pct"] == -50
    assert (event["acknowledged"], event["resolved_at"]) == (False, None)
    metadata = event["metadata"]
    assert metadata["bar_date"] == "2013-03-01"
    assert (metadata["status"], metadata["is_withheld"]) == ("open", True)
    assert metadata["evidence"] == {"ratio": 0.5}
    assert "metadata.resolution" in metadata["how_to_resolve"]
    assert bar["date"] == datetime(2013, 3, 1, tzinfo=UTC)
    assert (bar["revision"], bar["status"], bar["close"]) == (1, "open", 10)
    assert (bar["rules"], bar["reasons"]) == (["unapplied_split"], ["close halved"])
    assert bar["evidence"] == {"unapplied_split": {"ratio": 0.5}}
    assert bar["last_good_revision"] is None


def test_publishing_again_changes_nothing(
    lake: Lake, serving: Serving, database: MongoDatabase
) -> None:
    """A rerun that rewrote its events would look like a second fault."""
    publish(lake, serving)
    before, version = the_event(database), lake.version()
    reports = publish(lake, serving, as_of=LATER)
    assert [(one.unchanged, one.updated, one.inserted) for one in reports] == [(1, 0, 0)] * 2
    assert the_event(database) == before
    assert lake.version() == version


def test_only_symbols_of_which_something_changed_are_looked_at(
    lake: Lake, serving: Serving, database: MongoDatabase
) -> None:
    """A night's work would grow with all that was ever found."""
    for symbol in ("GE", "GM"):
        put(lake, "daily_prices", symbol=symbol)
        put(lake, "price_anomalies", symbol=symbol)
        put(lake, "quarantined_prices", symbol=symbol)
    publish(lake, serving)
    collection = database["data_quality_events"]
    collection.update_many({}, {"$set": {"message": "somebody's"}})
    collection.delete_one({"symbol": "GM"})
    put(lake, "price_anomalies", symbol="IBM", message="close fell to a half")
    events, _ = publish(lake, serving, as_of=LATER)
    said = {event["symbol"]: event["message"] for event in collection.find()}
    assert said == {"IBM": "close fell to a half", "GM": "close halved", "GE": "somebody's"}
    assert (events.inserted, events.updated, events.unchanged) == (1, 1, 1)
    database["publishing_marks"].delete_many({"published_collection": "data_quality_events"})
    publish(lake, serving, as_of=LATER)
    assert the_event(database, symbol="GE")["message"] == "close halved"


@pytest.mark.parametrize(
    ("listed", "status"),
    [
        ({"status": "Delisted", "delisting_date": SESSIONS[-8]}, "explained"),
        ({"status": "Active", "ipo_date": SESSIONS[-3]}, "explained"),
        ({"status": "Active", "ipo_date": SESSIONS[0]}, "open"),
    ],
    ids=["delisted before", "listed anew after", "listed all the time"],
)
def test_a_gap_in_which_the_symbol_was_not_listed_is_explained(
    lake: Lake, serving: Serving, database: MongoDatabase, listed: dict[str, Any], status: str
) -> None:
    """A symbol that was given away anew would look like one with missing bars."""
    gap = {"anomaly_type": "gap", "severity": "medium", "is_withheld": False, "revision": 0}
    resumed = f'{{"next_session": "{SESSIONS[-2]}"}}'
    put(lake, "price_anomalies", symbol="GE", session=SESSIONS[-6], evidence=resumed, **gap)
    put(lake, "listings", symbol="GE", **listed)
    publish(lake, serving)
    event = the_event(database, symbol="GE")
    assert event["metadata"]["status"] == status
    assert event["severity"] == ("medium" if status == "open" else "low")


def test_history_loaded_at_first_counts_as_detected_at_its_close(
    lake: Lake, serving: Serving, database: MongoDatabase
) -> None:
    """A first load would look like thousands of faults of the last 24 hours."""
    old = {"symbol": "GE", "session": SESSIONS[3]}
    put(lake, "daily_prices", **old, known_at_basis="assumed")
    put(lake, "price_anomalies", **old, severity="medium", is_withheld=False)
    publish(lake, serving)
    assert the_event(database, symbol="GE")["occurred_at"] == CALENDAR.close_of(SESSIONS[3])


@pytest.mark.parametrize(("known_at", "is_old"), [(AS_OF, False), (AS_OF - timedelta(1), True)])
def test_a_missing_session_is_dated_by_when_it_could_be_known(
    lake: Lake, serving: Serving, database: MongoDatabase, known_at: datetime, is_old: bool
) -> None:
    """There is no bar that could tell whether it came with the first load."""
    missing = {"symbol": "GE", "session": SESSIONS[3], "revision": 0, "known_at": known_at}
    put(lake, "price_anomalies", **missing, anomaly_type="missing_session", severity="medium")
    publish(lake, serving)
    event = the_event(database, symbol="GE")
    assert event["occurred_at"] == (CALENDAR.close_of(SESSIONS[3]) if is_old else AS_OF)
    assert event["price_change_pct"] is None


def test_notes_of_low_severity_make_no_event_and_explained_moves_do(
    lake: Lake, serving: Serving, database: MongoDatabase
) -> None:
    """10,000 symbols have notes every night; a crash that was real is asked for by name."""
    note = {"severity": "low", "is_withheld": False}
    put(lake, "price_anomalies", symbol="GE", anomaly_type="quiet_day", **note)
    put(lake, "price_anomalies", symbol="GM", **note, explanation="the whole market fell")
    publish(lake, serving)
    assert database["data_quality_events"].count_documents({"symbol": "GE"}) == 0
    event = the_event(database, symbol="GM")
    assert event["iso_score"] is None, "no detector has scored it"
    assert (event["severity"], event["metadata"]["status"]) == ("low", "explained")
    assert event["metadata"]["explanation"] == "the whole market fell"


def test_an_alert_of_the_detectors_is_an_event_where_the_rules_are_silent(
    lake: Lake, serving: Serving, database: MongoDatabase
) -> None:
    """The rules' own words about a bar say more than that it is unusual."""
    put(lake, "bar_scores", is_alert=True, p_value=0.0001)
    put(lake, "bar_scores", symbol="GE", is_alert=True, p_value=0.0001)
    publish(lake, serving)
    assert the_event(database, symbol="IBM")["anomaly_type"] == "unapplied_split"
    event = the_event(database, symbol="GE")
    assert (event["anomaly_type"], event["severity"]) == ("unusual_bar", "medium")
    assert event["iso_score"] == 0.4
    assert event["metadata"]["evidence"]["p_value"] == 0.0001
    assert "0.01 % of earlier ones were further out" in event["message"]


def test_an_alert_that_comes_every_month_is_a_note(
    lake: Lake, serving: Serving, database: MongoDatabase
) -> None:
    """With five symbols a night's budget lets one in a hundred bars through."""
    put(lake, "bar_scores", symbol="GE", is_alert=True, p_value=0.01)
    publish(lake, serving)
    assert database["data_quality_events"].count_documents({"symbol": "GE"}) == 0


@pytest.mark.parametrize(
    ("next_close", "status"), [(10.3, "explained"), (19.0, "open"), (14.9, "open")]
)
def test_a_jump_at_whose_level_prices_stay_is_explained(
    lake: Lake, serving: Serving, database: MongoDatabase, next_close: float, status: str
) -> None:
    """What was news was no fault; what comes back at once was one. The judgement itself stays."""
    jump = {"symbol": "GE", "session": SESSIONS[-4]}
    mild = {"anomaly_type": "unexplained_jump", "severity": "medium", "is_withheld": False}
    put(lake, "clean_prices", symbol="GE", session=SESSIONS[-5], close=20.0)
    for table in ("daily_prices", "clean_prices"):
        put(lake, table, **jump)
    put(lake, "price_anomalies", **jump, **mild)
    publish(lake, serving)
    assert the_event(database, symbol="GE")["metadata"]["status"] == "open"
    for session in SESSIONS[-3:]:
        put(lake, "clean_prices", symbol="GE", session=session, close=next_close)
    publish(lake, serving, as_of=LATER)
    event = the_event(database, symbol="GE")
    assert event["metadata"]["status"] == status
    assert event["severity"] == ("low" if status == "explained" else "medium")
    assert (event["metadata"]["explanation"] is not None) == (status == "explained")


def test_a_fault_of_a_body_is_an_event_without_a_revision(
    lake: Lake, serving: Serving, database: MongoDatabase
) -> None:
    """Of two answers with the same fault, the newest speaks; it is one fault."""
    put(lake, "body_anomalies", symbol="GE")
    put(lake, "body_anomalies", symbol="GE", response_id=8, message="400 rows are gone")
    publish(lake, serving)
    event = the_event(database, symbol="GE")
    assert (event["revision"], event["message"]) == (0, "400 rows are gone")


def test_a_revised_bar_leaves_its_event_behind_as_superseded(
    lake: Lake, serving: Serving, database: MongoDatabase
) -> None:
    """The trail of what was published, and why a model abstained, must not vanish."""
    publish(lake, serving)
    for table in ("price_anomalies", "bar_scores", "quarantined_prices"):
        take_out(lake, table)
    put(lake, "daily_prices", revision=2, close=20.5)
    put(lake, "price_revisions", close=10.0)
    publish(lake, serving, as_of=LATER)
    event, bar = the_event(database), the_bar(database)
    assert event["metadata"]["status"] == bar["status"] == "superseded"
    assert (event["severity"], event["iso_score"]) == ("high", 0.93)
    assert (bar["close"], bar["is_withheld"]) == (10, False)
    assert event["metadata"]["evidence"] == {"ratio": 0.5}


def test_a_bad_revision_names_the_good_one_that_stays_in_force(
    lake: Lake, serving: Serving, database: MongoDatabase
) -> None:
    """A person who looks at it wants to know what the models see meanwhile."""
    put(lake, "price_revisions", symbol="GE", revision=2, close=21.0)
    put(lake, "daily_prices", symbol="GE", revision=2)
    put(lake, "price_anomalies", symbol="GE", revision=2)
    put(lake, "quarantined_prices", symbol="GE", revision=2)
    publish(lake, serving)
    bar = the_bar(database, symbol="GE")
    assert (bar["revision"], bar["last_good_revision"], bar["close"]) == (2, 1, 10)


@pytest.mark.parametrize(
    ("resolution", "status"), [("release", "released"), ("confirm", "confirmed")]
)
def test_a_verdict_is_told_and_the_persons_words_stay(
    lake: Lake, serving: Serving, database: MongoDatabase, resolution: str, status: str
) -> None:
    """A person's fields in our documents are theirs, in the middle of a map of ours too."""
    publish(lake, serving)
    word = {
        "acknowledged": True,
        "resolved_at": LATER,
        "metadata.resolution": resolution,
        "metadata.note": "called the exchange",
    }
    for collection in ("data_quality_events", "quarantined_prices"):
        database[collection].update_one({}, {"$set": word})
    put(lake, "verdicts", resolution=resolution, resolved_at=LATER)
    if resolution == "release":
        take_out(lake, "quarantined_prices")
    publish(lake, serving, as_of=LATER)
    event, bar = the_event(database), the_bar(database)
    assert event["metadata"]["status"] == bar["status"] == status
    assert event["severity"] == ("low" if resolution == "release" else "high")
    for document in (event, bar):
        assert (document["acknowledged"], document["resolved_at"]) == (True, LATER)
        assert document["metadata"]["resolution"] == resolution
        assert document["metadata"]["note"] == "called the exchange"
    assert event["metadata"]["bar_date"] == "2013-03-01"


def test_a_bar_that_only_a_person_withholds_is_in_the_trail(
    lake: Lake, serving: Serving, database: MongoDatabase
) -> None:
    """No rule has a word for it, so no sighting names it."""
    put(lake, "daily_prices", symbol="GE")
    put(lake, "verdicts", symbol="GE", resolution="confirm")
    put(lake, "quarantined_prices", symbol="GE", rules=[], reasons=[])
    publish(lake, serving)
    bar = the_bar(database, symbol="GE")
    assert (bar["status"], bar["is_withheld"], bar["rules"]) == ("confirmed", True, [])


def test_what_is_no_longer_found_is_withdrawn(
    lake: Lake, serving: Serving, database: MongoDatabase
) -> None:
    """A released neighbour may explain it: the event says so, and stays."""
    publish(lake, serving)
    for table in ("price_anomalies", "quarantined_prices"):
        take_out(lake, table)
    publish(lake, serving, as_of=LATER)
    assert the_event(database)["metadata"]["status"] == "withdrawn"
    assert the_bar(database)["status"] == "withdrawn"


def test_an_anomaly_that_grows_worse_keeps_its_first_instant(
    lake: Lake, serving: Serving, database: MongoDatabase
) -> None:
    """The same fault would be counted twice by the dashboard."""
    mild = {"symbol": "GE", "severity": "medium", "is_withheld": False}
    put(lake, "daily_prices", symbol="GE")
    put(lake, "price_anomalies", **mild)
    publish(lake, serving)
    put(lake, "price_anomalies", symbol="GE")
    put(lake, "quarantined_prices", symbol="GE")
    note = note_sightings(lake, night=night_of())
    assert (note.rows.height, note.newly_withheld) == (0, 1)
    publish(lake, serving, as_of=LATER)
    event = the_event(database, symbol="GE")
    assert (event["occurred_at"], event["severity"]) == (AS_OF, "high")
    assert event["metadata"]["first_severity"] == "medium"
    assert the_bar(database, symbol="GE")["status"] == "open"


def test_another_writers_events_are_left_alone(
    lake: Lake, serving: Serving, database: MongoDatabase
) -> None:
    """The backend writes events of its own, without a bar's date."""
    theirs = [
        {"symbol": "IBM", "data_type": "daily", "anomaly_type": "unapplied_split", "message": text}
        for text in ("one", "two")
    ]
    database["data_quality_events"].insert_many(theirs)
    reports = publish(lake, serving)
    assert reports[0].foreign_duplicates == 0
    assert list(database["data_quality_events"].find({"publisher": None})) == theirs


def test_a_bar_with_figures_that_are_none_is_published_with_nulls(
    lake: Lake, serving: Serving, database: MongoDatabase
) -> None:
    """One NaN would make the backend's whole list an error."""
    put(lake, "quarantined_prices", symbol="GE", close=float("nan"))
    put(lake, "daily_prices", symbol="GE", close=float("nan"), volume=-5)
    put(lake, "price_anomalies", symbol="GE", evidence='{"a.b": NaN, "$c": [Infinity, 1.5]}')
    publish(lake, serving)
    bar = the_bar(database, symbol="GE")
    assert (bar["close"], bar["volume"]) == (None, -5)
    event = the_event(database, symbol="GE")
    assert event["metadata"]["evidence"] == {"a_b": None, "_c": [None, 1.5]}
    assert event["price_change_pct"] is None
