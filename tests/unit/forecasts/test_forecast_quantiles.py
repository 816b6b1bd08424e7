"""Distributions on a grid of levels, against closed formulas of the normal distribution."""

import numpy as np
import pytest
from scipy.stats import norm

from pipelines.forecasts.quantiles import (
    LEVELS,
    WIDTHS,
    expected_shortfall,
    levels_of,
    normal_quantiles,
    quantiles_at,
    ranked_probability_score,
    sample_quantiles,
    value_at_risk,
)

MEAN, DEVIATION = 0.01, 0.05
NORMAL = normal_quantiles(np.array([MEAN]), np.array([DEVIATION]))


def test_the_grid_is_symmetric_and_stands_for_all_levels() -> None:
    """Scores would favour one side otherwise."""
    assert np.allclose(LEVELS + LEVELS[::-1], 1)
    assert WIDTHS.sum() == pytest.approx(1)


def test_a_normal_distribution_is_exact_between_and_beyond_levels() -> None:
    """A tail that ended at the grid's end would hide the largest losses."""
    levels = np.array([0.0001, 0.007, 0.33, 0.5, 0.9999])
    assert quantiles_at(NORMAL, levels)[0] == pytest.approx(norm.ppf(levels, MEAN, DEVIATION))


def test_the_level_of_an_outcome_is_the_inverse_of_the_quantile() -> None:
    """Coverage is counted by levels, quantiles are what is published: they must agree."""
    outcomes = np.array([-0.4, -0.08, 0.0, 0.011, 0.3])
    quantiles = np.repeat(NORMAL, len(outcomes), axis=0)
    assert levels_of(quantiles, outcomes) == pytest.approx(norm.cdf(outcomes, MEAN, DEVIATION))
    assert np.isnan(levels_of(NORMAL, np.array([np.nan]))).all()


def test_crps_of_a_normal_distribution_is_the_closed_formula() -> None:
    """Gneiting and Raftery (2007), equation 21; the grid may cost half a per cent."""
    outcomes = np.array([-0.1, 0.0, 0.03, 0.2])
    z = (outcomes - MEAN) / DEVIATION
    exact = DEVIATION * (z * (2 * norm.cdf(z) - 1) + 2 * norm.pdf(z) - 1 / np.sqrt(np.pi))
    made = ranked_probability_score(np.repeat(NORMAL, 4, axis=0), outcomes)
    assert made == pytest.approx(exact, rel=0.005)


@pytest.mark.parametrize("confidence", [0.95, 0.99])
def test_risk_of_a_normal_distribution_is_the_closed_formula(confidence: float) -> None:
    """McNeil, Frey and Embrechts (2015), example 2.14, for small returns."""
    small = normal_quantiles(np.array([0.0]), np.array([1e-4]))
    score = norm.ppf(confidence)
    assert value_at_risk(small, confidence)[0] == pytest.approx(1e-4 * score, rel=1e-3)
    tail_mean = 1e-4 * norm.pdf(score) / (1 - confidence)
    assert expected_shortfall(small, confidence)[0] == pytest.approx(tail_mean, rel=5e-3)


def test_quantiles_of_a_sample_are_those_of_its_distribution() -> None:
    """A bias of the plotting positions would move every simulated fan."""
    spread = norm.ppf((np.arange(4000) + 0.5) / 4000)
    shuffled = np.random.default_rng(1).permutation(spread)
    assert sample_quantiles(shuffled) == pytest.approx(norm.ppf(LEVELS), abs=1e-3)


def test_a_distribution_alone_is_judged_to_the_bit_as_among_others() -> None:
    """Origins are evaluated one a night, or all at once on a first load."""
    rng = np.random.default_rng(3)
    many = np.sort(rng.normal(MEAN, DEVIATION, (300, len(LEVELS))), axis=1)
    outcomes, levels = rng.normal(MEAN, DEVIATION, 300), (np.arange(64) + 0.5) / 64 * 0.05
    scores = ranked_probability_score(many, outcomes)
    found = quantiles_at(many, levels)
    for row in range(0, 300, 37):
        alone = slice(row, row + 1)
        assert ranked_probability_score(many[alone], outcomes[alone]) == scores[alone]
        assert quantiles_at(many[alone], levels).tobytes() == found[alone].tobytes()
