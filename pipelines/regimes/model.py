"""A regime model: states with Gaussian emissions, how they follow one another, and their moments.

Whatever family found the states, this is what filters. Observations are standardised by the fit's
own means and deviations and, for PCA, projected; moments of the market's return stay in log return
per session.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pipelines.regimes.settings import Candidate, Family

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RegimeModel:
    """A fitted model of K states in p dimensions made of d columns.

    Attributes:
        candidate: What was fitted.
        fitted_from: First session of the fit.
        fitted_through: Last session of the fit; it may score later ones only.
        center: Mean of each column (d).
        scale: Standard deviation of each column (d).
        projection: From standardised columns to dimensions (p × d).
        means: Of each state (K × p).
        covariances: Of each state (K × p × p).
        start: Long-run probabilities of the states (K).
        transition: From each state to each state in one session (K × K).
        market_mean: Mean log return of the market in each state, per session (K).
        market_std: Its standard deviation (K).
        weights: Sessions of the fit that each state accounts for (K).
    """

    candidate: Candidate
    fitted_from: date
    fitted_through: date
    center: FloatArray
    scale: FloatArray
    projection: FloatArray
    means: FloatArray
    covariances: FloatArray
    start: FloatArray
    transition: FloatArray
    market_mean: FloatArray
    market_std: FloatArray
    weights: FloatArray

    @property
    def states(self) -> int:
        """Number of states."""
        return len(self.start)

    def log_likelihoods(self, observations: FloatArray) -> FloatArray:
        """Return the log density of each session's observation in each state (sessions × K).

        A session whose other columns are missing is judged by the market's return alone; one
        without a return tells nothing, so its row is zero.
        """
        is_whole = np.isfinite(observations).all(axis=1)
        has_return = np.isfinite(observations[:, 0])
        result = np.zeros((len(observations), self.states))
        result[is_whole] = self._whole(observations[is_whole])
        is_part = has_return & ~is_whole
        result[is_part] = self.market_log_densities(observations[is_part, 0])
        return result

    def market_log_densities(self, returns: FloatArray) -> FloatArray:
        """Return the log density of the market's returns in each state (sessions × K)."""
        deviations = (returns[:, None] - self.market_mean) / self.market_std
        return np.asarray(
            -0.5 * deviations**2 - np.log(self.market_std) - 0.5 * np.log(2.0 * np.pi)
        )

    def _whole(self, observations: FloatArray) -> FloatArray:
        """Return the log densities of complete observations."""
        points = ((observations - self.center) / self.scale) @ self.projection.T
        result = np.empty((len(points), self.states))
        for state in range(self.states):
            root = np.linalg.cholesky(self.covariances[state])
            whitened = np.linalg.solve(root, (points - self.means[state]).T)
            log_volume = np.log(np.diag(root)).sum() + 0.5 * len(root) * np.log(2.0 * np.pi)
            result[:, state] = -0.5 * (whitened**2).sum(axis=0) - log_volume
        return result

    def to_document(self) -> dict[str, Any]:
        """Return the model as JSON can hold it, every digit kept."""
        plain = {
            field.name: getattr(self, field.name).tolist()
            for field in fields(self)
            if isinstance(getattr(self, field.name), np.ndarray)
        }
        return {
            **plain,
            "family": self.candidate.family.value,
            "columns": list(self.candidate.columns),
            "fitted_from": self.fitted_from.isoformat(),
            "fitted_through": self.fitted_through.isoformat(),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read a model back."""
        family, columns = Family(document["family"]), tuple(document["columns"])
        plain = ("family", "columns", "fitted_from", "fitted_through")
        arrays = {
            name: np.asarray(value, dtype=np.float64)
            for name, value in document.items()
            if name not in plain
        }
        return cls(
            candidate=Candidate(family, len(document["start"]), columns),
            fitted_from=date.fromisoformat(document["fitted_from"]),
            fitted_through=date.fromisoformat(document["fitted_through"]),
            **arrays,
        )


def long_run(transition: FloatArray) -> FloatArray:
    """Return the stationary probabilities of a chain whose states all communicate."""
    states = len(transition)
    equations = np.vstack([transition.T - np.eye(states), np.ones(states)])
    target = np.append(np.zeros(states), 1.0)
    solution = np.linalg.lstsq(equations, target, rcond=None)[0]
    chances = np.clip(solution, 0.0, None)
    return np.asarray(chances / chances.sum())
