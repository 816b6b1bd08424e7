"""Random walk with drift: independent normal returns, the yardstick of every other model."""

import numpy as np

from pipelines.forecasts.drift import drift_variance, shrunk_drift
from pipelines.forecasts.members.member import Parameters, Question
from pipelines.forecasts.quantiles import FloatArray, normal_quantiles


class RandomWalk:
    """Mean and deviation of the window's returns, renewed every session."""

    name = "random_walk"

    def fit(self, log_values: FloatArray) -> Parameters:
        """Remember how long the window is; all else follows from the sessions themselves."""
        return {"window": float(len(log_values) - 1)}

    def quantiles(
        self, parameters: Parameters, question: Question, rng: np.random.Generator
    ) -> FloatArray:
        """Return normal quantiles, wider by what the drift is uncertain."""
        del parameters, rng  # nothing is drawn
        count = np.asarray(question.origins, dtype=np.float64)
        mean, deviation = running_moments(question)
        drift = shrunk_drift(mean, count)
        horizon = np.asarray(question.horizons, dtype=np.float64)
        variance = deviation[:, None] ** 2 * horizon
        variance = variance + drift_variance(deviation, count)[:, None] * horizon**2
        return normal_quantiles(drift[:, None] * horizon, np.sqrt(variance))


def running_moments(question: Question) -> tuple[FloatArray, FloatArray]:
    """Return mean and deviation of the returns through each origin."""
    returns = question.returns
    count = np.asarray(question.origins)
    total, squares = np.cumsum(returns), np.cumsum(returns**2)
    mean = total[count - 1] / count
    variance = squares[count - 1] / count - mean**2
    return mean, np.sqrt(np.maximum(variance, 0) * count / (count - 1))
