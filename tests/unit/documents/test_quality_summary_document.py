"""The figures of a night: what they count, and what they make of it."""

from typing import Any

import polars as pl
import pytest

from pipelines.documents.quality_summary import DataQualitySummary, quality_summary
from tests.support.lake import night_of

FIGURES = {
    "bars": 10,
    "bars_withheld": 1,
    "bars_suspect": 2,
    "seen_low": 4,
    "seen_medium": 2,
    "seen_high": 1,
    "seen_critical": 0,
    "open_reviews": 3,
    "oldest_open_review": None,
    "released": 0,
    "confirmed": 1,
    "revised": 2,
}
TYPES = pl.DataFrame({"anomaly_type": ["gap"], "severity": ["medium"], "count": [2]})
WORST = pl.DataFrame({"symbol": ["*"], "anomalies": [2], "worst_severity": ["medium"]})


def summary_of(**changes: Any) -> DataQualitySummary:
    """Return the summary of a night with some figures changed."""
    return quality_summary(night_of(), {**FIGURES, **changes}, types=TYPES, worst=WORST)


@pytest.mark.parametrize(
    ("bars", "withheld", "suspect", "score"),
    [(10, 1, 2, 0.8), (10, 0, 0, 1.0), (1, 1, 0, 0.0), (1, 1, 1, 0.0), (0, 0, 0, None)],
)
def test_the_score_is_the_share_of_bars_beyond_doubt(
    bars: int, withheld: int, suspect: int, score: float | None
) -> None:
    """A night without a bar is neither good nor bad."""
    summary = summary_of(bars=bars, bars_withheld=withheld, bars_suspect=suspect)
    assert summary.quality_score == (None if score is None else pytest.approx(score))


def test_a_summary_is_flat_for_dashboards() -> None:
    """Tools of dashboards read columns, and lists of plain maps at most."""
    stored = summary_of().to_mongo()
    assert stored["session"] == "2013-03-01"
    assert stored["anomaly_types"] == [{"anomaly_type": "gap", "severity": "medium", "count": 2}]
    assert stored["worst_symbols"] == [{"symbol": "*", "anomalies": 2, "worst_severity": "medium"}]
    assert not [name for name, value in stored.items() if isinstance(value, dict)]
