"""Weights and calibration: made by matured outcomes alone, and right in the long run."""

import numpy as np
import pytest
from scipy.stats import norm

from pipelines.forecasts.conformal import NOMINAL, calibrated_quantiles, levels_by_origin
from pipelines.forecasts.pool import pooled_quantiles, weights_by_origin
from pipelines.forecasts.quantiles import LEVELS, normal_quantiles, quantiles_at
from pipelines.forecasts.settings import HORIZONS, ForecastSettings

SETTINGS = ForecastSettings()
STANDARD = normal_quantiles(np.zeros(1), np.ones(1))


@pytest.mark.parametrize("horizon", HORIZONS)
def test_an_outcome_that_was_not_known_moves_no_weight_and_no_level(horizon: int) -> None:
    """Proof by mutation: all that matures at origin 100 or later is changed."""
    rng = np.random.default_rng(1)
    scores, hits = rng.random((150, 3)), rng.random(150)
    other_scores, other_hits = scores.copy(), hits.copy()
    other_scores[100 - horizon + 1 :] = rng.random((50 + horizon - 1, 3))
    hits[100 - horizon + 1 :], other_hits[100 - horizon + 1 :] = 0.001, 0.999
    for made, other in (
        (
            weights_by_origin(scores, horizon=horizon, settings=SETTINGS),
            weights_by_origin(other_scores, horizon=horizon, settings=SETTINGS),
        ),
        (
            levels_by_origin(hits, horizon=horizon, step=0.02),
            levels_by_origin(other_hits, horizon=horizon, step=0.02),
        ),
    ):
        assert np.array_equal(made[:101], other[:101])
        assert not np.array_equal(made[101], other[101]), "the next origin does know it"


def test_weight_goes_to_what_scored_well_and_nothing_to_absence() -> None:
    """A pool that kept its worst member would lose to its best."""
    scores = np.tile([1.0, 1.2, np.nan], (60, 1))
    weights = weights_by_origin(scores, horizon=1, settings=SETTINGS)
    assert weights[0] == pytest.approx([1 / 3] * 3), "nothing is known at first"
    assert weights[-1, 0] > 0.95
    assert weights[-1, 1] < weights[-1, 2], "absence counts as typical"


def test_a_model_without_a_forecast_is_left_out() -> None:
    """Its weight goes to the others; where only weightless ones are left, they share."""
    quantiles = np.stack([STANDARD[0], STANDARD[0] + 1, np.full(len(LEVELS), np.nan)])
    made = pooled_quantiles(quantiles, np.array([0.25, 0.25, 0.5]))
    assert made == pytest.approx(STANDARD[0] + 0.5)
    assert pooled_quantiles(quantiles, np.array([0.0, 0.0, 1.0])) == pytest.approx(made)


@pytest.mark.parametrize("scale", [0.7, 1.4], ids=["too narrow", "too wide"])
def test_a_wrong_width_is_put_right_in_the_long_run(scale: float) -> None:
    """The promise of Gibbs and Candès: the share of breaches goes to the nominal one."""
    outcomes = np.random.default_rng(2).standard_normal(8000)
    hits = norm.cdf(outcomes / scale)
    levels = levels_by_origin(hits, horizon=1, step=SETTINGS.step)[:-1]
    late = slice(4000, None)
    breaches = (hits[late, None] < levels[late]).mean(axis=0)
    assert breaches == pytest.approx(NOMINAL, abs=0.015)
    uncalibrated = float((hits[late] < 0.05).mean())
    assert abs(uncalibrated - 0.05) > 0.03, "without calibration the band is wrong"


def test_levels_rise_whatever_comes() -> None:
    """Crossed levels would make crossed quantiles."""
    hits = np.concatenate([np.zeros(300), np.ones(300)])
    levels = levels_by_origin(hits, horizon=1, step=0.05)
    assert (np.diff(levels, axis=1) >= 0).all()
    assert levels.min() > 0
    assert levels.max() < 1


def test_a_nominal_quantile_is_read_off_at_its_level() -> None:
    """What is published at 5 % must be the quantile that calibration asks for."""
    levels = np.clip(NOMINAL * 0.6 + 0.01, 0, 1)
    made = calibrated_quantiles(STANDARD[0], levels)
    assert quantiles_at(made, NOMINAL) == pytest.approx(quantiles_at(STANDARD[0], levels), abs=0.01)
    assert calibrated_quantiles(STANDARD[0], NOMINAL) == pytest.approx(STANDARD[0])
