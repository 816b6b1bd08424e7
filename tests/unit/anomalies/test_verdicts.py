"""What a person wrote is a verdict, or is named: never guessed at."""

from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from pipelines.anomalies.tables import VERDICTS
from pipelines.anomalies.verdicts import (
    EVENTS,
    QUARANTINE,
    KnownBar,
    ReadVerdicts,
    Verdict,
    new_verdicts,
    read_verdicts,
    verdict_rows,
)
from tests.support.lake import night_of

SESSION = date(2013, 2, 28)
DECIDED = datetime(2013, 3, 1, 8, 30, tzinfo=UTC)
MIDNIGHT = datetime(2013, 2, 28, tzinfo=UTC)
NOTHING = verdict_rows([], night_of())
BAR = {("IBM", SESSION): KnownBar(2)}


def known(revision: int) -> dict[tuple[str, date], KnownBar]:
    """Return what is known of the bar, of which some revisions have come."""
    return {("IBM", SESSION): KnownBar(revision)} if revision else {}


def quarantined(**changes: Any) -> dict[str, Any]:
    """Return a document of the quarantine on which a person has decided."""
    said = {"resolution": "release", "note": "a real move"}
    base = {"symbol": "IBM", "date": MIDNIGHT, "revision": 2, "resolved_at": DECIDED}
    return {"_id": 1, **base, "metadata": said, **changes}


def event(**changes: Any) -> dict[str, Any]:
    """Return an event on which a person has decided."""
    said = {"resolution": "confirm", "bar_date": "2013-02-28"}
    return {
        "_id": 2,
        "symbol": "IBM",
        "revision": 2,
        "resolved_at": DECIDED,
        "metadata": said,
        **changes,
    }


def verdict(resolution: str = "release", *, decided: datetime = DECIDED) -> Verdict:
    """Return a verdict on the bar."""
    return Verdict("IBM", SESSION, 2, decided, resolution, None, QUARANTINE)


def test_a_decision_in_either_collection_is_read() -> None:
    """A person decides where they look at the bar."""
    read = read_verdicts({QUARANTINE: [quarantined()], EVENTS: [event()]})
    assert read.faults == ()
    release, confirm = read.verdicts
    assert release == Verdict(
        "IBM", SESSION, 2, DECIDED, "release", "a real move", "quarantined_prices"
    )
    assert (confirm.session, confirm.resolution, confirm.note) == (SESSION, "confirm", None)


@pytest.mark.parametrize("word", [" Release", "RELEASE"])
def test_a_word_is_read_however_it_is_cased(word: str) -> None:
    """People type."""
    (read,) = read_verdicts({QUARANTINE: [quarantined(metadata={"resolution": word})]}).verdicts
    assert read.resolution == "release"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"metadata": {"resolution": "ok"}}, "metadata.resolution is 'ok' (str): set it to"),
        ({"metadata": {}}, "metadata.resolution is None"),
        ({"metadata": "release"}, "metadata.resolution is None"),
        ({"resolved_at": None}, "resolved_at is None"),
        ({"resolved_at": "2013-03-01"}, "resolved_at is '2013-03-01' (str)"),
        ({"revision": "2"}, "revision is '2' (str)"),
        ({"revision": True}, "revision is True (bool)"),
        ({"symbol": None}, "symbol is None"),
        ({"date": "soon"}, "the bar's date is 'soon' (str)"),
        ({"date": 20130228}, "the bar's date is 20130228 (int)"),
    ],
    ids=str,
)
def test_what_can_not_be_read_is_named(changes: dict[str, Any], words: str) -> None:
    """A release by misunderstanding would train models on a wrong bar."""
    read = read_verdicts({QUARANTINE: [quarantined(**changes), quarantined()]})
    assert len(read.verdicts) == 1, "the others are read"
    assert words in read.faults[0]
    assert read.faults[0].startswith("quarantined_prices ")


def test_what_is_new_is_landed_once() -> None:
    """Every night reads the same documents again."""
    found = ReadVerdicts((verdict(), verdict()))
    news = new_verdicts(found, NOTHING, BAR)
    assert (news.verdicts, news.faults) == ((verdict(),), ())
    landed = verdict_rows(news.verdicts, night_of())
    assert landed.columns == list(VERDICTS.column_names)
    assert new_verdicts(found, landed, BAR) == ReadVerdicts(())
    later = verdict("confirm", decided=DECIDED.replace(hour=9))
    assert new_verdicts(ReadVerdicts((verdict(), later)), landed, BAR).verdicts == (later,)


@pytest.mark.parametrize("revision", [0, 1], ids=["no bar", "no revision"])
def test_a_decision_on_what_nobody_knows_is_named(revision: int) -> None:
    """It would wait in the table and fall upon the bar when that revision comes."""
    news = new_verdicts(ReadVerdicts((verdict(),), ("other",)), NOTHING, known(revision))
    assert news.verdicts == ()
    assert news.faults[0] == "other"
    assert "there is no revision 2 of this bar" in news.faults[1]


def test_a_decision_on_a_former_revision_is_kept() -> None:
    """A person may decide while the vendor revises."""
    assert new_verdicts(
        ReadVerdicts((verdict(),)), NOTHING, {("IBM", SESSION): KnownBar(5)}
    ).verdicts


def test_two_decisions_of_one_instant_are_a_contradiction() -> None:
    """Which one counts would be chance; the first that was landed does."""
    both = ReadVerdicts((verdict("release"), verdict("confirm")))
    news = new_verdicts(both, NOTHING, BAR)
    assert [one.resolution for one in news.verdicts] == ["release"]
    assert "set resolved_at anew" in news.faults[0]
    landed = verdict_rows(news.verdicts, night_of())
    assert new_verdicts(ReadVerdicts((verdict("confirm"),)), landed, BAR).verdicts == ()


def test_a_bar_that_can_not_be_is_never_released() -> None:
    """The backend rejects such a bar, and one rejected bar poisons a whole list."""
    bars = {("IBM", SESSION): KnownBar(2, ("volume_negative",))}
    news = new_verdicts(ReadVerdicts((verdict(),)), NOTHING, bars)
    assert news.verdicts == ()
    assert "can't be released: volume_negative" in news.faults[0]
    confirmed = ReadVerdicts((verdict("confirm"),))
    assert new_verdicts(confirmed, NOTHING, bars).verdicts == confirmed.verdicts


def test_no_verdicts_make_an_empty_table() -> None:
    """Most nights nobody has decided anything."""
    assert read_verdicts({QUARANTINE: [], EVENTS: []}) == ReadVerdicts(())
    assert isinstance(NOTHING, pl.DataFrame)
    assert NOTHING.is_empty()
