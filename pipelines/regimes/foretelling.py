"""What a fit foretold of the market's next return, and how well: a mixture of normals, scored.

Log returns per session. The baseline is one normal with the moments of all sessions of the fit: a
market that is always the same.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from pipelines.regimes.model import FloatArray, RegimeModel


@dataclass(frozen=True, eq=False)
class ForetoldReturn:
    """A mixture of normals: chance, mean and deviation of each state."""

    chances: FloatArray
    means: FloatArray
    deviations: FloatArray

    @classmethod
    def of(cls, model: RegimeModel, chances: FloatArray) -> Self:
        """Return what a model foretells where its states have these chances."""
        return cls(chances, model.market_mean, model.market_std)

    @classmethod
    def baseline(cls, model: RegimeModel) -> Self:
        """Return one normal with the moments of all sessions that a model was made of."""
        shares = model.weights / model.weights.sum()
        mean = shares @ model.market_mean
        variance = shares @ (model.market_std**2 + (model.market_mean - mean) ** 2)
        return cls(np.ones(1), np.array([mean]), np.sqrt(np.array([variance])))

    def log_score(self, value: float) -> float:
        """Return the log density of a return, in nats."""
        from scipy.special import logsumexp

        distance = (value - self.means) / self.deviations
        densities = -0.5 * (distance**2 + np.log(2 * np.pi)) - np.log(self.deviations)
        return float(logsumexp(densities, b=self.chances))

    def level(self, value: float) -> float:
        """Return the probability integral transform of a return."""
        from scipy.special import ndtr

        return float(self.chances @ ndtr((value - self.means) / self.deviations))

    def crps(self, value: float) -> float:
        """Return the CRPS of a return: Grimit et al. (2006), equation 5."""
        apart = self.means[:, None] - self.means
        spread = np.sqrt(self.deviations[:, None] ** 2 + self.deviations**2)
        to_value = self.chances @ _mean_distance(value - self.means, self.deviations)
        return float(to_value - 0.5 * self.chances @ _mean_distance(apart, spread) @ self.chances)


def _mean_distance(mean: FloatArray, deviation: FloatArray) -> FloatArray:
    """Return the mean absolute value of normals."""
    from scipy.special import ndtr

    ratio = mean / deviation
    density = np.exp(-0.5 * ratio**2) / np.sqrt(2 * np.pi)
    return np.asarray(2 * deviation * density + mean * (2 * ndtr(ratio) - 1))
