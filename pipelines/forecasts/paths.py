"""Sample paths whose every session has the calibrated distribution.

A simulating model says which path is high and which is low at each session; each value is then
replaced by the calibrated quantile of its rank (Schaake shuffle: Clark and others 2004; ensemble
copula coupling: Schefzik, Thorarinsdottir and Gneiting 2013). So what depends on the whole way,
such as a drawdown, agrees with the fan.
"""

import numpy as np

from pipelines.forecasts.quantiles import FloatArray, quantiles_at

DRAWDOWNS = (0.05, 0.10, 0.20)
"""Drawdowns whose probability is published."""


def rank_mapped(paths: FloatArray, quantiles: FloatArray) -> FloatArray:
    """Return the paths (steps × paths) with the marginals of quantiles (steps × grid)."""
    number = paths.shape[1]
    ranks = np.argsort(np.argsort(paths, axis=1, kind="stable"), axis=1)
    levels = (np.arange(number) + 0.5) / number
    return np.asarray(np.take_along_axis(quantiles_at(quantiles, levels), ranks, axis=1))


def drawdown_probabilities(paths: FloatArray) -> dict[float, float]:
    """Return the share of paths that fall from their highest value, the start's included, by more.

    Args:
        paths: Log growth: steps × paths.
    """
    start = np.zeros((1, paths.shape[1]))
    highest = np.maximum.accumulate(np.concatenate([start, paths]), axis=0)[1:]
    worst = -np.expm1((paths - highest).min(axis=0))
    return {size: float((worst > size).mean()) for size in DRAWDOWNS}
