"""The planted part: by how much what anyone could see moves the odds of the next session.

log-odds of a higher next session = those of BASE_RATE + strength · score. The score of session t
is made from closes (as total returns) and volumes of sessions ≤ t alone: last week's losers rise
(Lehmann, 1990), much traded ones rise (Gervais, Kaniel and Mingelgrin, 2001), and a day's move is
reversed where volume was high and goes on where it was low (Campbell, Grossman and Wang, 1993).
"""

from dataclasses import dataclass, field

import numpy as np

from pipelines.markets.simulation.market_path import FloatArray
from pipelines.markets.simulation.settings import BASE_RATE

REVERSAL_SESSIONS = 5
VOLUME_SESSIONS = 20
SESSIONS_SEEN = VOLUME_SESSIONS
"""Bars that a symbol must have before anything is planted: what nobody could see moves nothing."""

# Weights of the terms, each of deviation 1 (a term over its own), and the score's of deviation 1.
_REVERSAL_SCALE, _REVERSAL_WEIGHT = 0.06, 0.65 / 0.62
_VOLUME_SCALE, _VOLUME_WEIGHT = 0.5, 0.5 / 0.5
_RETURN_SCALE, _INTERACTION_WEIGHT = 0.02, 0.6 / 0.3


@dataclass
class VisibleHistory:
    """The last closes and volumes of some symbols, as anyone sees them after a session.

    Volumes are in shares of one fixed session, splits undone.
    """

    symbols: int
    _closes: FloatArray = field(init=False)
    _volumes: FloatArray = field(init=False)
    _volume_total: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        """Begin with a flat past."""
        self._closes = np.zeros((REVERSAL_SESSIONS + 1, self.symbols))
        self._volumes = np.ones((VOLUME_SESSIONS, self.symbols))
        self._volume_total = np.full(self.symbols, float(VOLUME_SESSIONS))

    def see(self, session: int, *, log_index: FloatArray, volume: FloatArray) -> None:
        """Add a session: logarithm of the total-return index, and volume."""
        self._closes[session % len(self._closes)] = log_index
        oldest = self._volumes[session % VOLUME_SESSIONS]
        self._volume_total += volume - oldest
        self._volumes[session % VOLUME_SESSIONS] = volume

    def score(self, session: int) -> FloatArray:
        """Return the planted score of the session seen last; deviation about 1, mean about 0."""
        kept = len(self._closes)
        close = self._closes[session % kept]
        one = np.expm1(close - self._closes[(session - 1) % kept])
        week = np.expm1(close - self._closes[(session - REVERSAL_SESSIONS) % kept])
        volume = self._volumes[session % VOLUME_SESSIONS]
        ratio = np.log(volume * VOLUME_SESSIONS / self._volume_total)
        activity = np.tanh(ratio / _VOLUME_SCALE)
        return np.asarray(
            -_REVERSAL_WEIGHT * np.tanh(week / _REVERSAL_SCALE)
            + _VOLUME_WEIGHT * activity
            - _INTERACTION_WEIGHT * np.tanh(one / _RETURN_SCALE) * activity
        )


def chance_of_rising(score: FloatArray, *, strength: float) -> FloatArray:
    """Return the probability that the next session ends higher, given the planted score."""
    log_odds = np.log(BASE_RATE / (1.0 - BASE_RATE)) + strength * score
    return np.asarray(1.0 / (1.0 + np.exp(-log_odds)))
