"""A night's scores as rows, and their documents: an opinion, or the reason for having none."""

from dataclasses import replace
from datetime import UTC, date, datetime

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines.documents.track_record import MEASURED, LiveRecord
from pipelines.nights import Night, Origin
from pipelines.signals.nightly import (
    SIGNAL_SCORES_EMPTY,
    rewritable,
    score_nights,
    signal_documents,
    signal_scope,
    track_record,
)
from pipelines.tables import SIGNAL_SCORES
from tests.support.trained_signals import rows_of_tonight, small_panel, small_training

FIRST, SECOND = date(2013, 2, 28), date(2013, 3, 1)
LIVE_RECORD = LiveRecord(rows=4, sessions=2, note="too few", **dict.fromkeys(MEASURED))
NO_HOLE = pl.DataFrame(schema={"symbol": pl.String, "session": pl.Date})
NOTHING_WITHHELD = pl.DataFrame(
    schema={"symbol": pl.String, "session": pl.Date, "in_force_revision": pl.Int32}
)


def night(session: date, origin: Origin = Origin.LIVE) -> Night:
    """Return a night of the sample market."""
    instant = datetime(session.year, session.month, session.day, 23, tzinfo=UTC)
    return Night("sample", session, instant, origin)


def scores_without_model(*nights: Night) -> pl.DataFrame:
    """Score two symbols, of which one has features, before anything was trained."""
    features = pl.DataFrame({"symbol": ["IBM"] * 2, "session": [FIRST, SECOND]})
    return score_nights(
        nights,
        features,
        universe=["IBM", "FB", "NEW"],
        first_sessions={"IBM": FIRST, "FB": FIRST, "NEW": SECOND},
        quarantined=NOTHING_WITHHELD,
        interrupted=NO_HOLE,
        model_for=lambda _: None,
    )


def test_a_live_night_is_never_rewritten_and_a_backfill_may_be() -> None:
    """A record that may be written again after the fact is no track record."""
    scored = pl.DataFrame(
        {"session": [FIRST, FIRST, SECOND], "origin": ["live", "live", "backfill"]}
    )
    nights = [night(FIRST), night(SECOND, Origin.BACKFILL), night(date(2013, 3, 4))]
    assert rewritable(nights, scored) == nights[1:]
    assert rewritable(nights, SIGNAL_SCORES_EMPTY) == nights


def test_without_a_model_every_listed_symbol_abstains() -> None:
    """Silence would look like a symbol that was forgotten."""
    rows = scores_without_model(night(FIRST), night(SECOND))
    assert rows.select("session", "symbol", "abstain_reason").rows() == [
        (FIRST, "FB", "stale"),
        (FIRST, "IBM", "no_model"),
        (SECOND, "FB", "stale"),
        (SECOND, "IBM", "no_model"),
        (SECOND, "NEW", "stale"),
    ]
    assert rows["model_version"].null_count() == rows.height
    assert rows["night_id"].to_list() == [night(FIRST).night_id] * 2 + [night(SECOND).night_id] * 3


def test_no_night_makes_no_row_in_the_columns_of_the_table() -> None:
    """A rerun of live nights scores nothing and must not fail."""
    rows = scores_without_model()
    assert_frame_equal(rows, SIGNAL_SCORES_EMPTY)
    assert tuple(rows.columns) == SIGNAL_SCORES.column_names


def test_an_abstention_is_published_with_its_reason_and_no_opinion() -> None:
    """Hold, the base rate, confidence 0: the backend shows it as no opinion."""
    documents = list(
        signal_documents(
            scores_without_model(night(FIRST)),
            [night(FIRST)],
            track_records={},
            live_records={},
            look_back_sessions=63,
            changes={},
        )
    )
    assert [document.abstain_reason for document in documents] == ["stale", "no_model"]
    for document in documents:
        assert (document.recommendation, document.confidence) == ("hold", 0.0)
        assert document.probability == document.base_rate
        assert document.feature_contributions == ()
        assert (document.model_version, document.track_record) == (None, None)
        assert document.lookback_days == 91  # 63 sessions of 365.25 / 252 days


def test_an_opinion_is_published_with_model_contributions_and_record() -> None:
    """The document must say what the lake says, and which model said it."""
    features, tonight = rows_of_tonight(small_panel())
    model = small_training().final
    rows = score_nights(
        [night(tonight)],
        features,
        universe=features["symbol"].to_list(),
        first_sessions={},
        quarantined=NOTHING_WITHHELD,
        interrupted=NO_HOLE,
        model_for=lambda _: (7, model),
    )
    metrics = model.track_record
    documents = list(
        signal_documents(
            rows,
            [night(tonight)],
            track_records={7: metrics},
            live_records={(tonight, 7): LIVE_RECORD},
            look_back_sessions=1,
            changes={},
        )
    )
    assert rows["trained_through"].unique().to_list() == [model.trained_through]
    assert [document.symbol for document in documents] == sorted(features["symbol"])
    for document, row in zip(documents, rows.sort("symbol").iter_rows(named=True), strict=True):
        assert document.model_version == 7
        assert document.probability == pytest.approx(row["probability"], rel=1e-9)
        assert document.lookback_days == 5
        assert document.track_record == track_record(metrics)
        assert document.live_record == LIVE_RECORD
        if row["abstain_reason"] is None:
            weights = [part.weight for part in document.feature_contributions]
            assert weights == sorted(weights, reverse=True)
            assert document.top_signals


def test_the_scope_of_nights_is_their_sessions_at_our_horizon() -> None:
    """Reconciling deletes what lies in it and is no longer in the set."""
    assert signal_scope([night(FIRST), night(SECOND)]) == {"session": [FIRST, SECOND], "horizon": 1}


def test_a_model_without_metrics_has_no_record() -> None:
    """A figure that was not measured must not be published as zero."""
    assert track_record(None) is None


def test_a_record_with_one_undefined_figure_keeps_the_others() -> None:
    """Dropping the whole record would make a measured model look unmeasured."""
    metrics = small_training().final.track_record
    assert metrics is not None
    record = track_record(replace(metrics, calibration_slope=None))
    whole = track_record(metrics)
    assert record is not None
    assert whole is not None
    assert (record.auc, record.brier_skill, record.calibration_slope) == (
        whole.auc,
        whole.brier_skill,
        None,
    )


def test_a_withheld_bar_abstains_as_quarantined_unless_a_former_revision_is_in_force() -> None:
    """A person would look for a withheld bar where the desk used the last good one."""
    withheld = pl.DataFrame(
        [("FB", FIRST, None), ("NEW", FIRST, 1)],
        schema={"symbol": pl.String, "session": pl.Date, "in_force_revision": pl.Int32},
        orient="row",
    )
    rows = score_nights(
        [night(FIRST)],
        pl.DataFrame({"symbol": ["IBM"], "session": [FIRST]}),
        universe=["FB", "NEW"],
        first_sessions={"FB": FIRST, "NEW": FIRST},
        quarantined=withheld,
        interrupted=NO_HOLE,
        model_for=lambda _: None,
    )
    reasons = dict(rows.select("symbol", "abstain_reason").iter_rows())
    assert reasons["FB"] == "quarantined"
    assert reasons["NEW"] != "quarantined"
