"""What all symbols share: the hidden regime of each session and the common factor.

The regime is a Markov chain (Hamilton, 1989). Its volatility scales the common factor; its drift
lies in the size of moves, rises being larger than falls or smaller, and never in their sign: a
market of pure noise stays one in every regime.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class RegimeState:
    """A hidden state: drift and volatility of the market, per session, and its mean length."""

    name: str
    drift: float
    volatility: float
    mean_sessions: int


REGIME_STATES = (
    RegimeState("bullish", drift=0.0009, volatility=0.006, mean_sessions=150),
    RegimeState("sideways", drift=0.0002, volatility=0.009, mean_sessions=100),
    RegimeState("bearish", drift=-0.0012, volatility=0.014, mean_sessions=60),
    RegimeState("volatile", drift=0.0, volatility=0.022, mean_sessions=25),
)
"""A market starts in the first; from each state the others are equally likely to follow."""


@dataclass(frozen=True, eq=False)
class MarketPath:
    """Arrays over sessions: ordinal of the hidden state, its moments, and the factor's shock.

    The factor's return is `volatility · shock`, the shocks being standard normal.
    """

    state: NDArray[np.int64]
    shock: FloatArray

    @property
    def volatility(self) -> FloatArray:
        """Standard deviation of the factor in each session."""
        return np.array([state.volatility for state in REGIME_STATES])[self.state]

    @property
    def drift(self) -> FloatArray:
        """Expected return of the market in each session."""
        return np.array([state.drift for state in REGIME_STATES])[self.state]

    @property
    def factor(self) -> FloatArray:
        """Return of the common factor in each session."""
        return self.volatility * self.shock


def draw_market_path(sessions: int, *, seed: np.random.SeedSequence) -> MarketPath:
    """Draw the shared path; more sessions of the same seed leave the earlier ones as they are."""
    for_states, for_shocks = (np.random.default_rng(child) for child in seed.spawn(2))
    stay = np.array([1.0 - 1.0 / state.mean_sessions for state in REGIME_STATES])
    state = np.zeros(sessions, dtype=np.int64)
    for session, (leaves, where) in enumerate(for_states.random((sessions - 1, 2)), start=1):
        before = state[session - 1]
        step = 1 + int(where * (len(REGIME_STATES) - 1)) if leaves >= stay[before] else 0
        state[session] = (before + step) % len(REGIME_STATES)
    return MarketPath(state, for_shocks.standard_normal(sessions))
