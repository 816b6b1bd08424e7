"""What rules and detectors found of a bar stands beside it, and moves its fingerprint."""

from typing import Any

import polars as pl
import pytest

from pipelines.documents.daily_price import DAILY_PRICE_SERIES, DailyPrice
from tests.support.backend_contract import assert_valid
from tests.support.clean_bars import chained
from tests.support.price_series import documents_of, fingerprints_of
from tests.support.quality_tables import rows_of
from tests.support.recorded_bars import bars_of

CLEAN = chained(bars_of("IBM", [10.0, 10.1, 10.2]))
FIRST, SECOND, THIRD = CLEAN["session"]


def documents(**findings: pl.DataFrame) -> list[DailyPrice]:
    """Return the documents of the three bars, valid for the backend."""
    made = documents_of(DAILY_PRICE_SERIES, CLEAN, findings=findings)
    for document in made:
        assert_valid(DailyPrice.collection, document.to_mongo())
    return [document for document in made if isinstance(document, DailyPrice)]


def anomalies(*rows: dict[str, Any]) -> pl.DataFrame:
    """Return rows of `price_anomalies` that withhold nothing."""
    mild = {"severity": "medium", "is_withheld": False, "message": "a jump"}
    return rows_of("price_anomalies", *({**mild, "session": SECOND, **row} for row in rows))


def test_a_bar_in_which_nothing_was_found_is_normal() -> None:
    """Null would look as if nobody had looked."""
    for document in documents():
        assert (document.anomaly_severity, document.anomaly_reasons) == ("normal", ())
        assert document.iso_anomaly_score is None


def test_scores_and_the_worst_finding_stand_beside_the_bar() -> None:
    """The chart marks the bar, and says why in the order of gravity."""
    found = anomalies(
        {"anomaly_type": "note", "severity": "low", "message": "a note"}, {"anomaly_type": "jump"}
    )
    scores = rows_of(
        "bar_scores", {"session": SECOND, "isolation_score": 1.2, "prophet_score": float("nan")}
    )
    _, second, third = documents(price_anomalies=found, bar_scores=scores)
    assert (second.anomaly_severity, second.anomaly_reasons) == ("medium", ("a jump", "a note"))
    assert (second.iso_anomaly_score, second.prophet_anomaly_score) == (1.0, None)
    assert second.volume_z_score == 1.5
    assert (third.anomaly_severity, third.volume_z_score) == ("normal", None)


def test_a_bar_that_no_detector_has_scored_has_no_score() -> None:
    """Before the first fit nobody knows how usual a bar is: 0 would say that it is very."""
    scores = rows_of("bar_scores", {"session": SECOND, "isolation_score": None})
    assert documents(bar_scores=scores)[1].iso_anomaly_score is None


def test_an_explained_move_is_low_and_says_why() -> None:
    """A crash that was real is no fault of the data."""
    found = anomalies({"severity": "medium", "explanation": "the market fell 9 %"})
    second = documents(price_anomalies=found)[1]
    assert second.anomaly_severity == "low"
    assert second.anomaly_reasons == ("a jump; the market fell 9 %",)


def test_an_alert_adds_nothing_to_what_the_rules_explain() -> None:
    """A crash that was real is unusual by nature."""
    found = anomalies({"severity": "low", "explanation": "the market fell 9 %"})
    scores = rows_of("bar_scores", {"session": SECOND, "is_alert": True, "p_value": 0.0001})
    second = documents(price_anomalies=found, bar_scores=scores)[1]
    assert second.anomaly_severity == "low"
    assert second.anomaly_reasons == ("a jump; the market fell 9 %",)


def test_a_released_bar_says_who_released_it() -> None:
    """The rule still finds it; the latest verdict on this very revision counts."""
    found = anomalies({"severity": "high", "is_withheld": True})
    verdicts = rows_of("verdicts", {"session": SECOND})
    second = documents(price_anomalies=found, verdicts=verdicts)[1]
    assert second.anomaly_severity == "low"
    assert second.anomaly_reasons == ("a jump; released by a person",)


def test_an_alert_of_the_detectors_alone_is_at_most_medium() -> None:
    """No person would follow a score without a rule behind it."""
    scores = rows_of("bar_scores", {"session": SECOND, "is_alert": True, "p_value": 0.0004})
    second = documents(bar_scores=scores)[1]
    assert second.anomaly_severity == "medium"
    assert second.anomaly_reasons == ("unusual_bar: p-value 0.0004",)


def test_findings_of_a_withheld_revision_are_not_about_the_bar_that_stands() -> None:
    """A former revision is in force: the fault is the newest one's."""
    found = anomalies({"severity": "high", "is_withheld": True, "revision": 2})
    withheld = rows_of("quarantined_prices", {"session": SECOND, "revision": 2})
    scores = rows_of("bar_scores", {"session": SECOND, "revision": 2})
    made = documents(price_anomalies=found, quarantined_prices=withheld, bar_scores=scores)
    assert made == documents()


def test_findings_of_weekly_bars_stand_elsewhere() -> None:
    """A week that disagrees with its days is no fault of its last day."""
    assert documents(price_anomalies=anomalies({"data_type": "weekly"})) == documents()


@pytest.mark.parametrize(
    "findings",
    [
        {"bar_scores": rows_of("bar_scores", {"session": SECOND})},
        {"price_anomalies": anomalies({})},
        {
            "price_anomalies": anomalies({}),
            "verdicts": rows_of("verdicts", {"session": SECOND}),
        },
    ],
    ids=["scores", "anomalies", "verdict"],
)
def test_what_is_found_of_a_bar_moves_the_fingerprint_of_its_chunk(
    findings: dict[str, pl.DataFrame],
) -> None:
    """A chunk whose fingerprint stays is never published again."""
    plain = fingerprints_of(DAILY_PRICE_SERIES, CLEAN)
    found = fingerprints_of(DAILY_PRICE_SERIES, CLEAN, findings=findings)
    assert plain.keys() == found.keys() == {("IBM", "2024-01")}
    assert plain != found
