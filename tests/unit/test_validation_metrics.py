"""Metrics agree with their definitions, and their intervals with sessions as the unit."""

import json

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from pipelines.validation.logistic import expit, logit
from pipelines.validation.metrics import SignalMetrics, measure_predictions
from pipelines.validation.session_bootstrap import (
    Estimate,
    area_under_curve,
    estimate,
    resample_sessions,
)
from tests.support.panels import weekdays


def _predictions(
    *, seed: int = 0, sessions: int = 60, symbols: int = 20, slope: float = 1.0
) -> pl.DataFrame:
    """Return predictions whose true log-odds are `slope` times the published ones."""
    rng = np.random.default_rng(seed)
    days = np.repeat(np.array(weekdays(sessions)), symbols)
    published = np.round(rng.normal(0.1, 0.4, len(days)), 1)
    is_up = rng.random(len(days)) < expit(slope * published)
    return pl.DataFrame(
        {
            "symbol": [f"S{number:02d}" for number in range(symbols)] * sessions,
            "session": days.tolist(),
            "probability": expit(published),
            "base_rate": 0.52,
            "is_up": is_up,
            "next_session_return": np.where(is_up, 0.01, -0.01) + rng.normal(0, 0.01, len(days)),
        }
    )


def _measure(predictions: pl.DataFrame, *, seed: int = 5, resamples: int = 400) -> SignalMetrics:
    return measure_predictions(predictions, rng=np.random.default_rng(seed), resamples=resamples)


def _value(figure: Estimate | None) -> float:
    assert figure is not None
    assert figure.lower <= figure.value <= figure.upper
    return figure.value


def _arrays(predictions: pl.DataFrame) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    return predictions["is_up"].to_numpy(), predictions["probability"].to_numpy()


def test_values_are_those_of_the_textbook() -> None:
    """A figure that is not what its name says misleads everyone who reads the manifest."""
    predictions = _predictions()
    is_up, probability = _arrays(predictions)
    metrics = _measure(predictions)
    assert _value(metrics.auc) == pytest.approx(roc_auc_score(is_up, probability), abs=1e-12)
    assert _value(metrics.log_loss) == pytest.approx(log_loss(is_up, probability))
    brier = brier_score_loss(is_up, probability)
    assert _value(metrics.brier) == pytest.approx(brier)
    reference = brier_score_loss(is_up, np.full(len(is_up), 0.52))
    assert _value(metrics.brier_skill) == pytest.approx(1 - brier / reference)
    by_session = [
        spearmanr(rows["probability"], rows["next_session_return"]).statistic
        for rows in predictions.partition_by("session")
    ]
    assert _value(metrics.rank_ic) == pytest.approx(np.mean(by_session))


def test_a_resample_equals_the_metric_of_the_repeated_rows() -> None:
    """The weighted formula must be the bootstrap, ties included, and not look like it."""
    predictions = _predictions(sessions=15, symbols=6)
    is_up, probability = _arrays(predictions)
    drawn = resample_sessions(
        predictions["session"].to_numpy(), resamples=200, rng=np.random.default_rng(1)
    )
    areas = area_under_curve(probability, is_up, drawn)
    losses = drawn.mean((probability - is_up) ** 2)
    for number in (0, 1, 77, 200):
        repeats = drawn.counts[number].astype(int)[drawn.session]
        outcomes, scores = np.repeat(is_up, repeats), np.repeat(probability, repeats)
        assert areas[number] == pytest.approx(roc_auc_score(outcomes, scores), abs=1e-12)
        assert losses[number] == pytest.approx(brier_score_loss(outcomes, scores))


def test_rows_that_repeat_within_a_session_do_not_narrow_the_interval() -> None:
    """Ten copies of a day's news are one piece of news; counting them ten times fakes certainty."""
    predictions = _predictions()
    copies = pl.concat(predictions.with_columns(pl.col("symbol") + str(copy)) for copy in range(10))
    once, often = _measure(predictions), _measure(copies)
    for name, figure in once.estimates().items():
        assert often.estimates()[name].lower == pytest.approx(figure.lower, abs=1e-9), name
        assert often.estimates()[name].upper == pytest.approx(figure.upper, abs=1e-9), name


@pytest.mark.parametrize("slope", [0.5, 1.0, 2.0])
def test_the_calibration_slope_tells_over_from_under_confidence(slope: float) -> None:
    """It is the figure by which a person sees that probabilities are too bold or too shy."""
    figure = _measure(_predictions(slope=slope, sessions=300)).calibration_slope
    assert figure is not None
    assert figure.lower < slope < figure.upper
    assert figure.upper - figure.lower < 0.6


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    """A 95 % interval that holds half the time would let noise through the skill gate.

    Of 100 samples at a true coverage of 95 %, 87 or fewer hold it once in 700 times.
    """
    held = 0
    for seed in range(100):
        predictions = _predictions(seed=seed, slope=0.0, symbols=5, sessions=80)
        auc = _measure(predictions, resamples=200).auc
        assert auc is not None
        held += auc.lower <= 0.5 <= auc.upper
    assert held > 87


def test_one_outcome_leaves_ranking_undefined_and_losses_defined() -> None:
    """A quiet NaN would travel into a document and poison a list read."""
    metrics = _measure(_predictions().with_columns(is_up=pl.lit(value=True)))
    assert metrics.auc is None
    assert metrics.calibration_slope is None
    assert metrics.calibration_intercept is None
    assert metrics.brier is not None
    assert all(np.isfinite(figure.upper) for figure in metrics.estimates().values())


def test_a_constant_probability_has_no_slope_and_no_correlation() -> None:
    """The flat model is a normal outcome, so its metrics must neither crash nor invent."""
    metrics = _measure(_predictions().with_columns(probability=pl.lit(0.52)))
    assert metrics.calibration_slope is None
    assert metrics.ic is None
    assert metrics.rank_ic is None
    assert _value(metrics.auc) == 0.5
    assert _value(metrics.brier_skill) == 0.0


def test_no_predictions_are_an_error() -> None:
    """An empty track record must not be mistaken for a measured one."""
    with pytest.raises(ValueError, match="no predictions to measure"):
        _measure(_predictions().clear())


def test_a_statistic_undefined_in_many_resamples_is_undefined() -> None:
    """Quantiles of the lucky resamples alone would be too narrow."""
    assert estimate(np.array([0.5, *[np.nan] * 10, *[0.5] * 90])) is None
    assert estimate(np.array([np.nan, 0.5, 0.5])) is None


def test_metrics_survive_json() -> None:
    """They travel with the model through the registry."""
    metrics = _measure(_predictions())
    document = json.loads(json.dumps(metrics.to_document(), allow_nan=False))
    assert SignalMetrics.from_document(document) == metrics


def test_log_odds_and_probability_are_inverse() -> None:
    """Scoring goes back and forth between the two."""
    probability = np.array([0.01, 0.5, 0.93])
    assert expit(logit(probability)) == pytest.approx(probability)


def test_figures_that_are_asked_for_alone_are_the_same() -> None:
    """The live record asks for some: they must be those that a training shows of itself."""
    predictions = _predictions().with_columns(next_open_return="next_session_return")
    whole = _measure(predictions)
    some = measure_predictions(
        predictions,
        rng=np.random.default_rng(5),
        resamples=400,
        only=("auc", "brier_skill", "net_return"),
    )
    assert some.estimates() == {
        name: getattr(whole, name) for name in ("auc", "brier_skill", "net_return")
    }
    assert (some.rows, some.information_z) == (whole.rows, None)
    untraded = measure_predictions(
        predictions, rng=np.random.default_rng(5), resamples=400, only=("ic",)
    )
    assert untraded.estimates() == {"ic": whole.ic}
