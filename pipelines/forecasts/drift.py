"""How fast a portfolio grows, as far as its history can tell.

Four years of returns know a Sharpe ratio to within 0.5 only, so the mean is shrunk towards none:
the posterior mean under a normal prior of annual Sharpe ratios, zero in the middle.
"""

import numpy as np

from pipelines.forecasts.quantiles import FloatArray

SESSIONS_PER_YEAR = 252
PRIOR_SHARPE_DEVIATION = 0.5
"""Most portfolios' annual Sharpe ratios lie within ±1."""


def shrunk_drift(mean: FloatArray, count: FloatArray) -> FloatArray:
    """Return the drift a session from the mean log return of `count` sessions."""
    prior = PRIOR_SHARPE_DEVIATION**2 / SESSIONS_PER_YEAR  # variance of a session's Sharpe ratio
    return np.asarray(mean * (count * prior) / (1 + count * prior))


def drift_variance(deviation: FloatArray, count: FloatArray) -> FloatArray:
    """Return how uncertain that drift is: its posterior variance."""
    prior = PRIOR_SHARPE_DEVIATION**2 / SESSIONS_PER_YEAR
    return np.asarray(deviation**2 * prior / (1 + count * prior))
