"""Distributions as quantiles on a fixed grid of levels, and what can be asked of them.

Between levels a quantile is linear in the normal score of its level, and so it is beyond the first
and the last one: a normal distribution is exact anywhere, and tails go on as they were. Arrays
have levels along their last axis; values are logarithms of growth.
"""

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from pipelines.forecasts.sums import row_sums

FloatArray = NDArray[np.float64]

_LOWER = (
    *(0.001, 0.0025, 0.005, 0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.075),
    *(0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45),
)
LEVELS: FloatArray = np.array([*_LOWER, 0.5, *(1 - level for level in reversed(_LOWER))])
"""Dense where risk is read off."""
SCORES: FloatArray = np.array([NormalDist().inv_cdf(level) for level in LEVELS])
"""Normal scores of the levels."""

TAIL_POINTS = 64
"""Equal parts of a tail over which an expected shortfall is averaged."""


def _widths() -> FloatArray:
    """Return the share of the unit interval that each level stands for; together 1."""
    edges = np.concatenate([[0.0], (LEVELS[1:] + LEVELS[:-1]) / 2, [1.0]])
    return np.diff(edges)


WIDTHS: FloatArray = _widths()


def quantiles_at(quantiles: FloatArray, levels: FloatArray) -> FloatArray:
    """Return the quantiles at other levels, the same ones for all distributions."""
    from scipy.special import ndtri

    scores = ndtri(levels)
    upper = np.clip(np.searchsorted(SCORES, scores), 1, len(SCORES) - 1)
    share = (scores - SCORES[upper - 1]) / (SCORES[upper] - SCORES[upper - 1])
    below, above = quantiles[..., upper - 1], quantiles[..., upper]
    return np.asarray(below + share * (above - below))


def quantiles_at_scores(quantiles: FloatArray, scores: FloatArray) -> FloatArray:
    """Return of each distribution (… × grid) the quantiles at normal scores of its own (… × k)."""
    upper = np.clip(np.searchsorted(SCORES, scores), 1, len(SCORES) - 1)
    share = (scores - SCORES[upper - 1]) / (SCORES[upper] - SCORES[upper - 1])
    below = np.take_along_axis(quantiles, upper - 1, axis=-1)
    above = np.take_along_axis(quantiles, upper, axis=-1)
    return np.asarray(below + share * (above - below))


def levels_of(quantiles: FloatArray, outcomes: FloatArray) -> FloatArray:
    """Return the level of its outcome in each distribution: uniform if the forecasts are right.

    Args:
        quantiles: … × grid, not falling along the grid.
        outcomes: One for each distribution; NaN gives NaN.
    """
    from scipy.special import ndtr

    upper = np.clip((quantiles <= outcomes[..., None]).sum(axis=-1), 1, len(SCORES) - 1)
    below = np.take_along_axis(quantiles, upper[..., None] - 1, axis=-1)[..., 0]
    above = np.take_along_axis(quantiles, upper[..., None], axis=-1)[..., 0]
    gap = np.where(above > below, above - below, np.inf)
    share = (outcomes - below) / gap
    return np.asarray(ndtr(SCORES[upper - 1] + share * (SCORES[upper] - SCORES[upper - 1])))


def pinball_loss(
    quantile: FloatArray, outcome: FloatArray, level: FloatArray | float
) -> FloatArray:
    """Return the pinball (quantile) loss of quantiles for outcomes."""
    miss = outcome - quantile
    return np.asarray(np.maximum(level * miss, (level - 1) * miss))


def ranked_probability_score(quantiles: FloatArray, outcomes: FloatArray) -> FloatArray:
    """Return the CRPS of each distribution: twice its pinball loss, averaged over all levels.

    Gneiting and Ranjan (2011), "Comparing density forecasts using threshold- and quantile-weighted
    scoring rules".
    """
    losses = pinball_loss(quantiles, outcomes[..., None], LEVELS)
    return 2 * row_sums(losses * WIDTHS)


def value_at_risk(quantiles: FloatArray, confidence: float) -> FloatArray:
    """Return the loss, as a share of the value, that is exceeded with 1 - confidence."""
    return np.asarray(-np.expm1(quantiles_at(quantiles, np.array([1 - confidence]))[..., 0]))


def expected_shortfall(quantiles: FloatArray, confidence: float) -> FloatArray:
    """Return the mean loss, as a share of the value, where the value at risk is exceeded."""
    parts = (np.arange(TAIL_POINTS) + 0.5) / TAIL_POINTS * (1 - confidence)
    return np.asarray(-np.expm1(quantiles_at(quantiles, parts)).mean(axis=-1))


def normal_quantiles(mean: FloatArray, deviation: FloatArray) -> FloatArray:
    """Return the quantiles of normal distributions."""
    return np.asarray(mean[..., None] + deviation[..., None] * SCORES)


def quantiles_between(scores: FloatArray, values: FloatArray) -> FloatArray:
    """Return the quantiles on the grid from values (… × k) at k normal scores, the same for all."""
    upper = np.clip(np.searchsorted(scores, SCORES), 1, len(scores) - 1)
    share = (SCORES - scores[upper - 1]) / (scores[upper] - scores[upper - 1])
    below, above = values[..., upper - 1], values[..., upper]
    return np.asarray(below + share * (above - below))


def sample_quantiles(samples: FloatArray) -> FloatArray:
    """Return the quantiles of samples along the last axis, at plotting positions (i + 1/2) / n."""
    from scipy.special import ndtri

    number = samples.shape[-1]
    ordered = np.sort(samples, axis=-1)
    scores = ndtri((np.arange(number) + 0.5) / number)
    upper = np.clip(np.searchsorted(scores, SCORES), 1, number - 1)
    share = (SCORES - scores[upper - 1]) / (scores[upper] - scores[upper - 1])
    share = np.clip(share, 0.0, 1.0)
    below, above = ordered[..., upper - 1], ordered[..., upper]
    return np.asarray(below + share * (above - below))
