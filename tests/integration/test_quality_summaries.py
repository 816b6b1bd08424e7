"""The quality of a night in figures, asked of a real lake: the same whenever it is asked."""

from datetime import timedelta
from pathlib import Path

import pytest

from pipelines.anomalies.plots import RECENT_SESSIONS, severity_plot
from pipelines.documents.quality_summary import DataQualitySummary
from pipelines.nights import Night, Origin
from resources.anomaly_sightings import note_sightings
from resources.lake import Lake
from resources.quality_summaries import quality_summaries, recent_anomalies
from tests.support.lake import SESSIONS, copy_of, temporary_lake
from tests.support.quality_tables import AS_OF, NIGHT, put, take_out, with_sessions

NEXT_NIGHT = Night(NIGHT.market, NIGHT.session, AS_OF + timedelta(days=3), Origin.LIVE)
MILD = {"severity": "medium", "is_withheld": False}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake whose last night saw a withheld bar, a doubtful one, an explained one and a note."""
    lake = with_sessions(temporary_lake(tmp_path_factory.mktemp("lakes") / "lake"))
    for symbol in ("FB", "GE", "GM", "IBM"):
        put(lake, "daily_prices", symbol=symbol)
    put(lake, "price_anomalies")
    put(lake, "quarantined_prices")
    put(lake, "price_anomalies", symbol="GE", **MILD)
    put(lake, "price_anomalies", symbol="GE", **MILD | {"severity": "low"}, anomaly_type="note")
    put(lake, "price_anomalies", symbol="GM", **MILD, explanation="the market fell")
    put(lake, "price_anomalies", symbol="FB", session=SESSIONS[5], **MILD)
    note_sightings(lake, night=NIGHT)
    return lake


@pytest.fixture
def lake(made: Lake, tmp_path: Path) -> Lake:
    """A copy of it that a test may change."""
    return copy_of(made, tmp_path / "lake")


def summary(lake: Lake, night: Night = NIGHT) -> DataQualitySummary:
    """Return the summary of one night."""
    (document,) = quality_summaries(lake, [night])
    return document


def test_a_night_counts_what_it_saw_first(lake: Lake) -> None:
    """By severity, type and symbol, whatever session the bar is of."""
    night = summary(lake)
    assert (night.seen_low, night.seen_medium, night.seen_high) == (1, 3, 1)
    assert [(one.anomaly_type, one.severity, one.count) for one in night.anomaly_types] == [
        ("unapplied_split", "high", 1),
        ("unapplied_split", "medium", 3),
        ("note", "low", 1),
    ]
    assert [(one.symbol, one.anomalies) for one in night.worst_symbols] == [
        *(("IBM", 1), ("GE", 2), ("FB", 1), ("GM", 1)),
    ]
    assert summary(lake, NEXT_NIGHT).seen_high == 0


def test_bars_of_the_session_are_scored(lake: Lake) -> None:
    """An explained move is no doubt, and another session's fault is no fault of this one."""
    night = summary(lake)
    assert (night.bars, night.bars_withheld, night.bars_suspect) == (4, 1, 1)
    assert night.quality_score == pytest.approx(0.625)


def test_a_review_is_open_until_the_night_that_landed_the_verdict(lake: Lake) -> None:
    """A night that is run again after the verdict must tell what it told then."""
    before = summary(lake)
    assert (before.open_reviews, before.oldest_open_review) == (1, SESSIONS[-1])
    put(lake, "verdicts", landed_at=NEXT_NIGHT.as_of, night_id=NEXT_NIGHT.night_id)
    take_out(lake, "quarantined_prices")
    after = summary(lake, NEXT_NIGHT)
    assert (after.open_reviews, after.released, after.confirmed) == (0, 1, 0)
    assert summary(lake) == before


def test_a_revision_ends_a_review(lake: Lake) -> None:
    """The vendor has mended the bar: nobody has to look any more."""
    take_out(lake, "quarantined_prices")
    put(lake, "price_revisions", known_at=NEXT_NIGHT.as_of, night_id=NEXT_NIGHT.night_id)
    put(lake, "daily_prices", revision=2, known_at=NEXT_NIGHT.as_of)
    assert summary(lake).open_reviews == 1
    assert (summary(lake, NEXT_NIGHT).open_reviews, summary(lake, NEXT_NIGHT).revised) == (0, 1)


def test_recent_sessions_are_drawn_with_those_in_which_nothing_was_found(lake: Lake) -> None:
    """A quiet month must look quiet, not short."""
    recent = recent_anomalies(lake, SESSIONS[-1])
    assert recent["session"].n_unique() == RECENT_SESSIONS
    last = recent.filter(session=SESSIONS[-1])
    assert dict(last.select("severity", "count").iter_rows()) == {"high": 1, "low": 1, "medium": 2}
    assert recent["count"].sum() == 4
    assert severity_plot(recent).startswith(b"\x89PNG")
