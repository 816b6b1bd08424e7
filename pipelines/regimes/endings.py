"""When a regime should end: how many sessions it goes on, and the chance that it ends soon."""

from collections.abc import Sequence

import numpy as np

from pipelines.regimes.labels import IntArray
from pipelines.regimes.model import FloatArray
from pipelines.regimes.names import NAMES, Regime

RISK_SESSIONS = 5
FORESEEN_SESSIONS = 10_000.0
"""Beyond 40 years no end is foreseen."""


def endings(
    posterior: FloatArray, labels: IntArray, *, transition: FloatArray, names: Sequence[Regime]
) -> tuple[FloatArray, FloatArray]:
    """Return expected sessions (NaN: no end foreseen) and risk of each row's label.

    What the posterior already holds to be another regime counts as ended.

    Args:
        posterior: Filtered states (rows × K).
        labels: Ordinals of `NAMES` (rows).
        transition: From each state to each state in one session (K × K).
        names: Names of the states.
    """
    expected, risk = np.full(len(labels), np.nan), np.zeros(len(labels))
    for ordinal, name in enumerate(NAMES):
        rows, inside = labels == ordinal, np.array([one is name for one in names])
        if not rows.any():
            continue
        stay = transition * np.outer(inside, inside)
        survival = np.linalg.matrix_power(stay, RISK_SESSIONS) @ inside
        risk[rows] = 1.0 - posterior[rows] @ survival
        expected[rows] = _expected(posterior[rows] * inside, stay, inside)
    return expected, np.clip(risk, 0.0, 1.0)


def _expected(weights: FloatArray, stay: FloatArray, inside: FloatArray) -> FloatArray:
    """Return how long a chain goes on within some states, from weights of them (rows × K)."""
    leaves = (1.0 - stay.sum(axis=1))[inside.astype(bool)]
    if not len(leaves) or leaves.max() < 1.0 / FORESEEN_SESSIONS:
        return np.full(len(weights), np.nan)
    lengths = np.linalg.solve(np.eye(len(stay)) - stay, inside.astype(np.float64))
    total = weights.sum(axis=1)
    even = np.divide(inside, inside.sum())
    shares = np.where(total[:, None] > 0, weights / np.where(total > 0, total, 1.0)[:, None], even)
    return np.asarray(shares @ lengths)
