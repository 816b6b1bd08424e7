"""Rows of one session share the day's news: what they say together, and what each says itself.

Outcomes of one session are taken to correlate alike, those of different sessions not at all (an
exchangeable working correlation: Liang & Zeger, Longitudinal Data Analysis Using Generalized Linear
Models, 1986). An estimate stays right where that is not so; it only loses some of its precision.
A market's common move is noise to whoever compares symbols: with forty rows of a correlation of
0.3, nine tenths of what a plain sum over rows fluctuates by is that move.
"""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

# At 1 the rows of a session would be one row, and what each says itself nothing.
LARGEST_CORRELATION = 0.95


@dataclass(frozen=True, eq=False)
class SessionCorrelation:
    """The `correlation` of two rows of a session, the `session` ordinal of each row, and `rows`.

    `rows` counts those of each session.
    """

    session: NDArray[np.intp]
    rows: NDArray[np.intp]
    correlation: float = 0.0

    @classmethod
    def of(cls, session: NDArray[np.generic]) -> Self:
        """Return rows that do not correlate, of the sessions that `session` names."""
        ordinal = _ordinals(session)
        return cls(ordinal, np.bincount(ordinal))

    def measured(self, residual: FloatArray) -> Self:
        """Return the sessions with the correlation of `residual`: its pairs over its squares."""
        total = self._totals(residual)
        square = float((residual**2).sum())
        pairs = float((self.rows * (self.rows - 1.0)).sum())
        if pairs == 0 or square == 0:
            return self.alike(0.0)
        alike = (float((total**2).sum()) - square) / pairs / (square / len(residual))
        return self.alike(float(np.clip(alike, 0.0, LARGEST_CORRELATION)))

    def alike(self, correlation: float) -> Self:
        """Return the sessions with another correlation."""
        return replace(self, correlation=correlation)

    @property
    def own_weight(self) -> FloatArray:
        """Return the diagonal of the inverse of the correlation matrix: what each row counts."""
        weight = (1.0 - self._common_share) / (1.0 - self.correlation)
        return np.asarray(weight[self.session])

    def own_part(self, values: FloatArray) -> FloatArray:
        """Return `values` times the inverse of the correlation matrix.

        That is each value less a share of its session's mean: all of it in a session of many rows.
        """
        common = self._common_share * self._totals(values)
        return np.asarray((values - common[self.session]) / (1.0 - self.correlation))

    @property
    def _common_share(self) -> FloatArray:
        """Return by how much of a session's total each of its rows is lessened."""
        return np.asarray(self.correlation / (1.0 + (self.rows - 1.0) * self.correlation))

    def _totals(self, values: FloatArray) -> FloatArray:
        return np.asarray(np.bincount(self.session, weights=values, minlength=len(self.rows)))


def _ordinals(session: NDArray[np.generic]) -> NDArray[np.intp]:
    """Return the ordinal of each row's session among all; counted, where they are in order."""
    later: Any = session[1:]
    if len(session) and bool((later >= session[:-1]).all()):
        ordinal = np.zeros(len(session), dtype=np.intp)
        np.cumsum(later != session[:-1], out=ordinal[1:])
        return ordinal
    _, inverse = np.unique(session, return_inverse=True)
    return np.asarray(inverse, dtype=np.intp)
