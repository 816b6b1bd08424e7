"""From probabilities to a label that holds: hysteresis, a minimum dwell, and how often it changes.

A label at a session depends on probabilities of sessions up to it alone.
"""

import numpy as np
from numpy.typing import NDArray

from pipelines.regimes.names import SESSIONS_PER_YEAR

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def settled(probabilities: FloatArray, *, margin: float, dwell: int) -> IntArray:
    """Return the label of each session as an ordinal of `NAMES`.

    Args:
        probabilities: Of each name (sessions × 4), in order.
        margin: By how much another name must be likelier than the one that stands.
        dwell: Sessions that a label stands at least.
    """
    from pipelines.regimes.filter_kernel import settle

    labels = np.empty(len(probabilities), dtype=np.int64)
    settle(np.ascontiguousarray(probabilities), margin, dwell, labels)
    return labels


def sessions_in_label(labels: IntArray) -> IntArray:
    """Return for how many sessions the label has stood, this one included."""
    ordinal = np.arange(len(labels))
    is_new = np.append(True, labels[1:] != labels[:-1])
    return np.asarray(ordinal - np.maximum.accumulate(np.where(is_new, ordinal, 0)) + 1)


def switches_per_year(labels: IntArray) -> float:
    """Return how often the label changes a year."""
    if len(labels) < 2:
        return 0.0
    return float((labels[1:] != labels[:-1]).mean() * SESSIONS_PER_YEAR)


def agreement(labels: IntArray, others: IntArray) -> float:
    """Return the share of sessions with the same label; 1 without a session."""
    return float((labels == others).mean()) if len(labels) else 1.0
