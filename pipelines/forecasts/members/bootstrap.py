"""Stationary bootstrap: stretches of past returns of random length, glued together.

Politis and Romano (1994); the mean length of a stretch by Politis and White (2004), as arch has
it. Keeps fat tails and what neighbouring sessions have in common, and assumes no model.
"""

from collections.abc import Sequence

import numpy as np

from pipelines.forecasts.drift import shrunk_drift
from pipelines.forecasts.members.member import Parameters, Question, number
from pipelines.forecasts.members.random_walk import running_moments
from pipelines.forecasts.quantiles import FloatArray, sample_quantiles

LONGEST_STRETCH = 21.0


class StationaryBootstrap:
    """Past returns as they came, around the shrunk drift."""

    name = "stationary_bootstrap"

    def fit(self, log_values: FloatArray) -> Parameters:
        """Choose the mean length of a stretch."""
        from arch.bootstrap import optimal_block_length

        squared = np.diff(log_values) ** 2  # returns themselves hardly depend on each other
        length = float(optimal_block_length(squared)["stationary"].iloc[0])
        return {"stretch": float(np.clip(length, 1.0, LONGEST_STRETCH))}

    def quantiles(
        self, parameters: Parameters, question: Question, rng: np.random.Generator
    ) -> FloatArray:
        """Return quantiles of sums of drawn returns."""
        return sample_quantiles(self._sums(parameters, question, question.horizons, rng))

    def paths(
        self, parameters: Parameters, question: Question, rng: np.random.Generator
    ) -> FloatArray:
        """Return drawn log growth: origins × steps × paths."""
        steps = range(1, max(question.horizons) + 1)
        return self._sums(parameters, question, steps, rng)

    def _sums(
        self,
        parameters: Parameters,
        question: Question,
        horizons: Sequence[int],
        rng: np.random.Generator,
    ) -> FloatArray:
        """Return drawn log growth to some horizons: origins × horizons × paths.

        Step by step, since a step of all origins fits the processor's cache and all steps don't.
        """
        back = self._steps_back(parameters, question, max(horizons), rng)
        count = np.asarray(question.origins)
        mean, _ = running_moments(question)
        shift = shrunk_drift(mean, count.astype(np.float64)) - mean
        sums = np.empty((len(count), len(horizons), question.paths))
        total = np.zeros((len(count), question.paths))
        for step, steps_back in enumerate(back, start=1):
            total += question.returns[count[:, None] - 1 - steps_back] + shift[:, None]
            if step in horizons:
                sums[:, horizons.index(step)] = total
        return sums

    def _steps_back(
        self, parameters: Parameters, question: Question, steps: int, rng: np.random.Generator
    ) -> np.ndarray[tuple[int, int], np.dtype[np.intp]]:
        """Return how far before its origin each drawn return lies: steps × paths.

        Origins share the draws, and starts of stretches are spread evenly over the past.
        """
        reach = question.fitted - 1  # returns that every origin of the fit can see
        places = np.arange(question.paths) / question.paths * reach
        starts = np.stack([rng.permutation(places) for _ in range(steps)]).astype(np.intp)
        goes_on = rng.random((steps, question.paths)) >= 1 / number(parameters, "stretch")
        back = starts.copy()
        for step in range(1, steps):
            back[step] = np.where(goes_on[step], (back[step - 1] - 1) % reach, starts[step])
        return back
