"""Every symbol gets an answer, and an opinion only where it is earned."""

import json
from dataclasses import replace
from datetime import date, timedelta
from math import erf

import numpy as np
import polars as pl
import pytest

from pipelines.signals.calibration import Calibration
from pipelines.signals.model import TrainedSignal
from pipelines.signals.scoring import (
    SCORE_SCHEMA,
    LookAheadError,
    score_signals,
)
from pipelines.validation.session_bootstrap import Estimate
from tests.support.panels import FEATURES
from tests.support.trained_signals import planted_panel, planted_training, rows_of_tonight


def _model() -> TrainedSignal:
    return planted_training().final


def _tonight() -> tuple[pl.DataFrame, date]:
    return rows_of_tonight(planted_panel())


def _scores(model: TrainedSignal | None, features: pl.DataFrame, *extra: str) -> pl.DataFrame:
    universe = [*features["symbol"].to_list(), *extra]
    return score_signals(model, features, universe, session=_tonight()[1])


def test_a_model_with_skill_has_opinions() -> None:
    """Publishing hold for everyone would pass every other test here."""
    features, _ = _tonight()
    scores = _scores(_model(), features)
    assert scores["abstain_reason"].null_count() == scores.height
    assert len(set(scores["recommendation"]) - {"hold"}) >= 2
    assert scores.schema == SCORE_SCHEMA
    assert scores["confidence"].is_between(0.0, 1.0).all()


def test_recommendations_follow_the_distance_from_the_base_rate() -> None:
    """Fixed thresholds would call a rising market a buy on every share, every day."""
    features, _ = _tonight()
    bold = replace(_model(), calibration=replace(_model().calibration, slope=4.0))
    scores = _scores(bold, features).with_columns(
        distance=pl.col("probability") - pl.col("base_rate")
    )
    bounds = {
        "strong_buy": (0.05, 1.0),
        "buy": (0.02, 0.05),
        "hold": (-0.02, 0.02),
        "sell": (-0.05, -0.02),
        "strong_sell": (-1.0, -0.05),
    }
    assert set(scores["recommendation"]) == set(bounds)
    for recommendation, (low, high) in bounds.items():
        rows = scores.filter(pl.col("recommendation") == recommendation)
        assert rows["distance"].is_between(low, high).all(), recommendation


def test_contributions_add_up_to_the_published_log_odds() -> None:
    """An explanation that does not sum to what it explains is decoration."""
    features, _ = _tonight()
    scores = _scores(_model(), features)
    rows = features.sort("symbol")
    parts = _model().contributions(rows)
    probability = scores["probability"].to_numpy()
    published = np.log(probability / (1 - probability))
    assert parts.sum(axis=1) == pytest.approx(published, abs=1e-9)
    for position, text in enumerate(scores["contributions"]):
        told = {entry["feature"]: entry for entry in json.loads(text)}
        impacts = [told[name]["impact"] for name in FEATURES]
        assert impacts == pytest.approx(parts[position, :-1])
        assert sum(entry["weight"] for entry in told.values()) == pytest.approx(1.0)
        assert told["trend"]["value"] == rows["trend"][position]


def test_contributions_name_the_strongest_first_and_its_direction() -> None:
    """The backend shows the top of the list."""
    features, _ = _tonight()
    for text in _scores(_model(), features)["contributions"]:
        entries = json.loads(text)
        sizes = [abs(entry["impact"]) for entry in entries]
        assert sizes == sorted(sizes, reverse=True)
        for entry in entries:
            expected = {1.0: "up", -1.0: "down", 0.0: None}[float(np.sign(entry["impact"]))]
            assert entry["direction"] == expected


def test_each_reason_to_abstain_is_told_apart() -> None:
    """A person who sees hold must learn whether data, history or skill is missing."""
    features, _ = _tonight()
    features = features.with_columns(
        pl.when(pl.col("symbol") != "S00").then("trend").alias("trend"),
        pl.when(pl.col("symbol") == "S01").then(np.nan).otherwise("noise").alias("noise"),
    )
    reasons = dict(_scores(_model(), features, "GONE").select("symbol", "abstain_reason").rows())
    assert reasons.pop("GONE") == "stale"
    assert reasons.pop("S00") == "short_history"
    assert reasons.pop("S01") == "short_history"
    assert set(reasons.values()) == {None}


def test_a_withheld_bar_and_a_strange_value_are_named() -> None:
    """A quarantined symbol waits for a person; a value never seen is beyond what trees can know."""
    features, session = _tonight()
    low, high = _model().feature_ranges["trend"]
    width = high - low
    values = {"S02": high + 0.05 * width, "S03": high + 0.2 * width, "S04": low - 0.2 * width}
    strange = features.with_columns(
        pl.col("symbol").replace_strict(values, default=pl.col("trend")).alias("trend")
    )
    scores = score_signals(
        _model(),
        strange,
        [*features["symbol"], "HELD", "GONE"],
        session=session,
        quarantined=["HELD", "S02"],
        interrupted=["S03", "S05", "GONE"],
    )
    reasons = dict(scores.select("symbol", "abstain_reason").rows())
    assert (reasons["HELD"], reasons["GONE"]) == ("quarantined", "stale")
    assert (reasons["S02"], reasons["S04"]) == (None, "out_of_range")
    assert (reasons["S03"], reasons["S05"]) == ("interrupted", "interrupted"), "data comes first"


def test_an_ensemble_that_disagrees_is_less_confident() -> None:
    """Two boosters of the same rows that differ show how little the rows say."""
    features, _ = _tonight()
    model = _model()
    alone = replace(model, members=model.members[:1])
    margins = model.member_margins(features.sort("symbol"))
    spread = margins.std(axis=0, ddof=1)
    line = model.calibration
    distance = line.log_odds(margins.mean(axis=0)) - np.log(model.base_rate / (1 - model.base_rate))
    error = np.hypot(line.standard_error(margins.mean(axis=0)), line.slope * spread)
    expected = [erf(z / 2**0.5) for z in np.abs(distance) / error]
    assert _scores(model, features)["confidence"].to_list() == pytest.approx(expected)
    assert _scores(alone, features)["confidence"].is_between(0, 1).all()


@pytest.mark.parametrize(
    ("model", "reason", "base_rate", "has_raw_opinion"),
    [
        (None, "no_model", 0.5, False),
        (replace(_model(), track_record=None), "no_skill", _model().base_rate, True),
    ],
    ids=["no model", "no skill"],
)
def test_abstaining_publishes_the_base_rate_and_nothing_else(
    model: TrainedSignal | None, reason: str, base_rate: float, has_raw_opinion: bool
) -> None:
    """A weak opinion that slips through with a number on it is believed."""
    features, _ = _tonight()
    scores = _scores(model, features, "GONE")
    assert scores["probability"].to_list() == [base_rate] * scores.height
    assert set(scores["recommendation"]) == {"hold"}
    assert set(scores["confidence"]) == {0.0}
    assert set(scores["contributions"]) == {"[]"}
    present = scores.filter(pl.col("symbol") != "GONE")
    assert set(present["abstain_reason"]) == {reason}
    assert present["raw_probability"].is_not_null().all() is has_raw_opinion


def test_rows_of_other_sessions_are_ignored() -> None:
    """Yesterday's features must not stand in for tonight's."""
    features, session = _tonight()
    yesterday = features.with_columns(session=pl.lit(session - timedelta(days=1)))
    scores = _scores(_model(), yesterday)
    assert set(scores["abstain_reason"]) == {"stale"}


def test_a_model_may_not_score_the_sessions_it_learned_from() -> None:
    """The one line that keeps backfills honest."""
    features, _ = _tonight()
    through = _model().trained_through
    with pytest.raises(LookAheadError, match=f"trained through {through} and may not score"):
        score_signals(_model(), features, ["S00"], session=through)


def test_a_flat_calibration_says_the_base_rate_without_confidence() -> None:
    """A booster that found nothing must not sound sure of it."""
    features, _ = _tonight()
    flat = replace(_model(), calibration=Calibration.flat(_model().base_rate))
    scores = _scores(flat, features)
    assert scores["probability"].to_list() == pytest.approx([flat.base_rate] * scores.height)
    assert scores["confidence"].max() == pytest.approx(0.0, abs=1e-9)
    assert set(scores["recommendation"]) == {"hold"}


def test_confidence_falls_with_the_calibrations_error() -> None:
    """It is what the covariance says, not a function of row counts."""
    features, _ = _tonight()
    (level, cross), (_, spread) = _model().calibration.covariance
    unsure = replace(
        _model(),
        calibration=replace(
            _model().calibration,
            covariance=((100 * level, 100 * cross), (100 * cross, 100 * spread)),
        ),
    )
    sure, doubtful = _scores(_model(), features), _scores(unsure, features)
    assert (doubtful["confidence"] < sure["confidence"]).all()


def test_a_short_track_record_is_no_skill() -> None:
    """A few good weeks give a narrow interval and prove nothing."""
    record = _model().track_record
    assert record is not None
    assert _model().has_skill
    for worse in (
        {"sessions": 59},
        {"blocks": 1},
        {"information_z": 2.3},
        {"log_loss_gain": Estimate(-1e-6, -1e-3, 1e-3)},
    ):
        assert not replace(_model(), track_record=replace(record, **worse)).has_skill, worse
