"""Returns whose distribution is known: what forecasts are measured on."""

from collections.abc import Callable

import numpy as np

from pipelines.forecasts.quantiles import FloatArray

DEVIATION = 0.01
"""Of a session's return, everywhere."""
DRIFT = 0.4 * DEVIATION / np.sqrt(252)
"""An annual Sharpe ratio of 0.4."""
_CALM, _STORM = 0.007, 0.02
_LEAVES = np.array([0.01, 0.03])
"""Chance of leaving the calm and the stormy state a session."""


def _normal(rng: np.random.Generator, sessions: int) -> FloatArray:
    """Return independent normal returns."""
    return np.asarray(DRIFT + DEVIATION * rng.standard_normal(sessions))


def _student(rng: np.random.Generator, sessions: int) -> FloatArray:
    """Return independent returns with the tails of Student's t with four degrees of freedom."""
    return np.asarray(DRIFT + DEVIATION / np.sqrt(2) * rng.standard_t(4, sessions))


def _garch(rng: np.random.Generator, sessions: int) -> FloatArray:
    """Return GARCH(1,1) returns: α = 0.08, β = 0.90."""
    variance, made = DEVIATION**2, np.empty(sessions)
    for place, shock in enumerate(rng.standard_normal(sessions)):
        made[place] = np.sqrt(variance) * shock
        variance = 0.02 * DEVIATION**2 + 0.08 * made[place] ** 2 + 0.90 * variance
    return np.asarray(DRIFT + made)


def _regimes(rng: np.random.Generator, sessions: int) -> FloatArray:
    """Return returns of a calm and a stormy state; the storm falls on average."""
    state, states = 0, np.empty(sessions, dtype=np.intp)
    for place, chance in enumerate(rng.random(sessions)):
        state = 1 - state if chance < _LEAVES[state] else state
        states[place] = state
    deviation = np.array([_CALM, _STORM])[states]
    drift = np.array([0.0006, -0.0006])[states]
    return np.asarray(drift + deviation * rng.standard_normal(sessions))


PROCESSES: dict[str, Callable[[np.random.Generator, int], FloatArray]] = {
    "iid normal": _normal,
    "Student t(4)": _student,
    "GARCH": _garch,
    "regimes": _regimes,
}
