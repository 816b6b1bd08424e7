"""Calibration by adaptive conformal inference: per horizon and per quantile, from outcomes alone.

Gibbs and Candès (2021), "Adaptive Conformal Inference Under Distribution Shift": the level at which
a quantile is read off the pool's distribution moves by a small step after each outcome, down after
a breach and up otherwise, so that in the long run the share of breaches is the nominal one,
whatever the market does. Only outcomes that were known at an origin move its levels.
"""

from collections.abc import Sequence
from itertools import accumulate
from math import isnan
from statistics import NormalDist

import numpy as np

from pipelines.forecasts.quantiles import SCORES, FloatArray, quantiles_at_scores
from pipelines.forecasts.settings import PERCENTILES

NOMINAL: FloatArray = np.array(PERCENTILES) / 100
NOMINAL_SCORES: FloatArray = np.array([NormalDist().inv_cdf(level) for level in NOMINAL])
SMALLEST_LEVEL = 0.0005
"""Beyond, a quantile would be a guess."""
LARGEST_SHARE = 0.04
"""A step moves a level by this share of its distance from 0 or 1 at most."""


def levels_by_origin(hits: FloatArray, *, horizon: int, step: float) -> FloatArray:
    """Return the level in force for each nominal one at each origin, and at the one after the last.

    Args:
        hits: Level of the outcome in the pool's distribution at consecutive origins; NaN where it
            is not known.
        horizon: Sessions ahead. `horizon` overlapping outcomes count as one, so steps are as
            much shorter.
        step: How far a breach of a median moves its level.

    Returns:
        (n + 1) × nominal levels, rising along each row.
    """
    rates = np.minimum(step, LARGEST_SHARE * np.minimum(NOMINAL, 1 - NOMINAL)) / horizon
    matured = hits[: max(0, len(hits) + 1 - horizon)].tolist()
    levels = np.tile(NOMINAL, (len(hits) + 1, 1))
    for column, (nominal, rate) in enumerate(zip(NOMINAL.tolist(), rates.tolist(), strict=True)):
        levels[len(levels) - len(matured) :, column] = _levels_after(matured, nominal, rate)
    rising = np.maximum.accumulate(levels, axis=1)
    return np.asarray(np.clip(rising, SMALLEST_LEVEL, 1 - SMALLEST_LEVEL))


def _levels_after(matured: Sequence[float], nominal: float, rate: float) -> list[float]:
    """Return the level after each outcome; plain numbers, since arrays of nine take eight times."""

    def after(held: float, hit: float) -> float:
        return held if isnan(hit) else held + rate * (nominal - (hit < held))

    return list(accumulate(matured, after, initial=nominal))[1:]


def calibrated_quantiles(quantiles: FloatArray, levels: FloatArray) -> FloatArray:
    """Return distributions whose nominal quantiles are the ones at the levels in force.

    Args:
        quantiles: … × grid.
        levels: … × nominal levels. Between them, and beyond, the shift in normal scores is
            interpolated.
    """
    from scipy.special import ndtri

    shift = ndtri(levels) - NOMINAL_SCORES
    scores = SCORES + _interpolated(shift)
    moved = quantiles_at_scores(quantiles, np.maximum.accumulate(scores, axis=-1))
    return np.asarray(np.maximum.accumulate(moved, axis=-1))


def _interpolated(shift: FloatArray) -> FloatArray:
    """Return shifts on the grid from shifts at the nominal levels, constant beyond the ends."""
    clipped = np.clip(SCORES, NOMINAL_SCORES[0], NOMINAL_SCORES[-1])
    upper = np.clip(np.searchsorted(NOMINAL_SCORES, clipped), 1, len(NOMINAL_SCORES) - 1)
    gap = NOMINAL_SCORES[upper] - NOMINAL_SCORES[upper - 1]
    share = (clipped - NOMINAL_SCORES[upper - 1]) / gap
    return np.asarray(shift[..., upper - 1] * (1 - share) + shift[..., upper] * share)
