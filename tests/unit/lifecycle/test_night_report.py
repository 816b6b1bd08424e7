"""The night report: what it says of a night, and that data can't write HTML into it."""

from datetime import UTC, datetime
from typing import Any

from pipelines.lifecycle.night_report import NightDocuments, moves, report_page
from pipelines.lifecycle.track_record import record_documents, track_records
from tests.support.outcomes import TONIGHT, outcomes

MANIFEST = {
    "session": "2013-03-01",
    "market": "sample",
    "origin": "live",
    "status": "degraded",
    "as_of": datetime(2013, 3, 2, 1, tzinfo=UTC),
    "night_id": "a3a659d0dca09b50",
    "collections": {"ml_signals": {"documents": 1234}},
    "lake_snapshot": 7,
    "code_version": "abc",
    "model_versions": {"signal": 3},
    "stale_symbols": ["OLD"],
}


def signal(symbol: str, probability: float, reason: str | None = None) -> dict[str, Any]:
    """Return the fields of a signal that the report reads."""
    return {
        "symbol": symbol,
        "probability": probability,
        "recommendation": "hold",
        "abstain_reason": reason,
    }


def night(**changes: Any) -> NightDocuments:
    """Return a night of which only what is named was published."""
    nothing: dict[str, Any] = {
        "manifest": MANIFEST,
        "signals": [],
        "former": [],
        "regimes": [],
        "forecasts": [],
        "quality": None,
        "reviews": [],
        "records": [],
    }
    return NightDocuments(**nothing | changes)


def test_what_moved_most_comes_first_and_opinions_alone_are_compared() -> None:
    """A reader has a minute: the largest change is what it is for."""
    former = [signal("A", 0.50), signal("B", 0.50), signal("C", 0.50, "stale")]
    tonight = [signal("A", 0.51), signal("B", 0.45), signal("C", 0.9), signal("D", 0.6)]
    assert moves(tonight, former) == [
        ("B", "0.4500", "0.5000", "hold"),
        ("A", "0.5100", "0.5000", "hold"),
    ]


def test_a_night_without_anything_still_has_its_page() -> None:
    """An empty section says so: silence could mean that the report is broken."""
    page = report_page(night())
    for words in (
        "No symbol had an opinion in both nights",
        "No live signal has come due yet",
        "Nothing waits for a person",
        "Stale: OLD",
        "1,234",
        "make replay SESSION=2013-03-01",
    ):
        assert words in page


def test_reasons_and_reviews_are_counted_and_named() -> None:
    """Why nothing is said of a symbol is news too."""
    review = {
        "symbol": "GIS",
        "date": datetime(2010, 6, 9, tzinfo=UTC),
        "severity": "critical",
        "reasons": ["a split of 2 that nobody listed"],
    }
    page = report_page(night(signals=[signal("A", 0.5, "no_skill")], reviews=[review]))
    assert "1 no_skill" in page
    assert "a split of 2 that nobody listed" in page
    assert "2010-06-09" in page


def test_the_record_is_shown_by_regime() -> None:
    """What a model is worth in a crash must not hide in the year's record."""
    known = outcomes(sessions=60)
    told = dict.fromkeys(known["session"].unique(), "volatile")
    made = track_records(known, TONIGHT, told=told)
    documents = [one.to_mongo() for one in record_documents(made, [TONIGHT])]
    page = report_page(night(records=documents))
    assert page.count("<td>volatile</td>") == 1
    assert "720 of 60 sessions" in page
    (record,) = [
        one
        for one in documents
        if (one["basis"], one["model_version"]) == ("published_in_volatile", "all")
    ]
    assert f"AUC {record['auc']['estimate']:.3f} [{record['auc']['low']:.3f}," in page


def test_text_from_outside_is_escaped() -> None:
    """A portfolio's name is the backend's user's."""
    portfolio = {
        "portfolio_id": "x",
        "horizon_days": 1,
        "name": "<script>alert(1)</script>",
        "abstain_reason": "unknown_symbol",
        "abstain_message": "no <b>prices</b>",
        "fan": [],
    }
    page = report_page(night(forecasts=[portfolio]))
    assert "<script>" not in page
    assert "no &lt;b&gt;prices" in page
