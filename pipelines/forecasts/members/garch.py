"""Filtered historical simulation: volatility by GARCH, shocks as they really came.

Barone-Adesi, Giannopoulos and Vosper (1999). Volatility follows GJR-GARCH(1,1) with Student-t
likelihood (Glosten, Jagannathan and Runkle 1993), fitted by arch; past returns over their own
volatility are drawn again and scaled by the volatility of each path.
"""

from collections.abc import Sequence

import numpy as np

from pipelines.forecasts.drift import shrunk_drift
from pipelines.forecasts.members.member import FitError, Parameters, Question, number
from pipelines.forecasts.quantiles import FloatArray, sample_quantiles

SCALE = 100.0
"""arch's optimiser wants returns in per cent."""
LARGEST_PERSISTENCE = 0.999
LARGEST_SHOCK = 8.0
"""A shock of the past is drawn as at most so many deviations."""


class FilteredHistoricalSimulation:
    """GJR-GARCH with the past's own shocks."""

    name = "garch_fhs"

    def fit(self, log_values: FloatArray) -> Parameters:
        """Fit the recursion of the variance.

        Raises:
            FitError: the optimiser finds no stationary recursion.
        """
        from arch import arch_model

        returns = np.diff(log_values) * SCALE
        model = arch_model(
            returns - returns.mean(),
            mean="Zero",
            vol="GARCH",
            p=1,
            o=1,
            q=1,
            dist="t",
            rescale=False,
        )
        result = model.fit(disp="off", show_warning=False)
        found = {name: float(value) for name, value in result.params.items()}
        persistence = found["alpha[1]"] + found["gamma[1]"] / 2 + found["beta[1]"]
        if result.convergence_flag or not persistence < LARGEST_PERSISTENCE:
            message = (
                f"GARCH: the optimiser ended with {result.convergence_flag} at a persistence of "
                f"{persistence:.4f}; it must be below {LARGEST_PERSISTENCE}"
            )
            raise FitError(message)
        return {
            "mean": float(returns.mean() / SCALE),
            "omega": found["omega"] / SCALE**2,
            "alpha": found["alpha[1]"],
            "gamma": found["gamma[1]"],
            "beta": found["beta[1]"],
            "start": float(returns.var() / SCALE**2),
        }

    def quantiles(
        self, parameters: Parameters, question: Question, rng: np.random.Generator
    ) -> FloatArray:
        """Return quantiles of simulated growth."""
        return sample_quantiles(self._growth(parameters, question, question.horizons, rng))

    def paths(
        self, parameters: Parameters, question: Question, rng: np.random.Generator
    ) -> FloatArray:
        """Return simulated log growth: origins × steps × paths."""
        steps = range(1, max(question.horizons) + 1)
        return self._growth(parameters, question, steps, rng)

    def _growth(
        self,
        parameters: Parameters,
        question: Question,
        horizons: Sequence[int],
        rng: np.random.Generator,
    ) -> FloatArray:
        """Return simulated log growth to some horizons: origins × horizons × paths.

        Origins share the draws of shocks; at each step they are spread evenly over the past's.
        """
        shocks = question.returns - number(parameters, "mean")
        variance = filtered_variance(parameters, shocks)
        seen = shocks[: question.fitted - 1] / np.sqrt(variance[: question.fitted - 1])
        seen = np.clip((seen - seen.mean()) / seen.std(), -LARGEST_SHOCK, LARGEST_SHOCK)
        places = (np.arange(question.paths) + 0.5) / question.paths
        drawn = np.quantile(seen, places)
        count = np.asarray(question.origins)
        now = np.repeat(variance[count][:, None], question.paths, axis=1)
        drift = shrunk_drift(np.cumsum(question.returns)[count - 1] / count, count.astype(float))
        growth = np.empty((len(count), len(horizons), question.paths))
        total = np.zeros_like(now)
        for step in range(1, max(horizons) + 1):
            shock = np.sqrt(now) * rng.permutation(drawn)
            total = total + shock + drift[:, None]
            if step in horizons:
                growth[:, horizons.index(step)] = total
            now = _next_variance(parameters, now, shock)
        return growth


def filtered_variance(parameters: Parameters, shocks: FloatArray) -> FloatArray:
    """Return the variance of each session as the session before knew it, and of the next one.

    The recursion is linear in the variance, so it is a filter over what the shocks put in.
    """
    from scipy.signal import lfilter

    alpha, gamma = number(parameters, "alpha"), number(parameters, "gamma")
    put_in = number(parameters, "omega") + (alpha + gamma * (shocks < 0)) * shocks**2
    start, beta = number(parameters, "start"), number(parameters, "beta")
    later = lfilter([1.0], [1.0, -beta], put_in, zi=np.array([beta * start]))[0]
    return np.concatenate([[start], later])


def _next_variance(parameters: Parameters, variance: FloatArray, shock: FloatArray) -> FloatArray:
    """Return the variance of the session after a shock."""
    alpha, gamma = number(parameters, "alpha"), number(parameters, "gamma")
    weight = alpha + gamma * (shock < 0)
    return np.asarray(
        number(parameters, "omega") + weight * shock**2 + number(parameters, "beta") * variance
    )
