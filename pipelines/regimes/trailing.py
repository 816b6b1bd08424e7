"""The metrics that the backend shows beside a regime, in its units."""

import numpy as np

from pipelines.regimes.model import FloatArray
from pipelines.regimes.names import SESSIONS_PER_YEAR

LOOK_BACK_SESSIONS = 63
PERCENT = 100.0
METRICS = ("trailing_return_pct", "volatility_pct", "drawdown_pct", "momentum_z")


def trailing_metrics(returns: FloatArray) -> dict[str, FloatArray]:
    """Return metrics of each row of log returns (rows × sessions), the newest last.

    A missing return is none; where fewer than two are known, or they never differ, what can't be
    told is zero.
    """
    recent = returns[:, -LOOK_BACK_SESSIONS:]
    is_known = np.isfinite(recent)
    moves, counts = np.where(is_known, recent, 0.0), is_known.sum(axis=1)
    mean = moves.sum(axis=1) / np.maximum(counts, 1)
    squares = (np.where(is_known, recent - mean[:, None], 0.0) ** 2).sum(axis=1)
    deviation = np.sqrt(squares / np.maximum(counts - 1, 1))
    level = np.hstack([np.zeros((len(moves), 1)), moves.cumsum(axis=1)])
    error = deviation / np.sqrt(np.maximum(counts, 1))
    return {
        "trailing_return_pct": np.expm1(level[:, -1]) * PERCENT,
        "volatility_pct": deviation * SESSIONS_PER_YEAR**0.5 * PERCENT,
        "drawdown_pct": -np.expm1(level[:, -1] - level.max(axis=1)) * PERCENT,
        "momentum_z": np.divide(mean, error, out=np.zeros_like(mean), where=error > 0),
    }
