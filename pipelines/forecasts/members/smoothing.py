"""ETS on log values: exponential smoothing with or without a trend, chosen by statsforecast.

Hyndman, Koehler, Ord and Snyder (2008), "Forecasting with Exponential Smoothing": additive errors,
no season; filtered by ours between fits.
"""

import math

import numpy as np

from pipelines.forecasts.members.member import Parameters, Question, number
from pipelines.forecasts.quantiles import FloatArray, normal_quantiles


class ExponentialSmoothing:
    """Normal forecasts of the best ETS model."""

    name = "ets"

    def fit(self, log_values: FloatArray) -> Parameters:
        """Choose the trend and the smoothing by AICc."""
        from statsforecast.models import AutoETS

        model = AutoETS(model="AZN", season_length=1).fit(log_values).model_
        level_rate, trend_rate, _, damping, level, *trend = (float(v) for v in model["par"])
        has_trend = not math.isnan(trend_rate)
        return {
            "level_rate": level_rate,
            "trend_rate": trend_rate if has_trend else 0.0,
            "damping": (1.0 if math.isnan(damping) else damping) if has_trend else 0.0,
            "level": level,
            "trend": trend[0] if has_trend else 0.0,
            "deviation": float(np.sqrt(model["sigma2"])),
        }

    def quantiles(
        self, parameters: Parameters, question: Question, rng: np.random.Generator
    ) -> FloatArray:
        """Return normal quantiles of growth from each origin's value."""
        del rng  # nothing is drawn
        levels, trends = self._filtered(parameters, question.log_values)
        origins, steps = np.asarray(question.origins), max(question.horizons)
        damped = np.cumsum(number(parameters, "damping") ** np.arange(1, steps + 1))
        start = levels[origins] - question.log_values[origins]
        mean = start[:, None] + trends[origins][:, None] * damped
        at = np.asarray(question.horizons) - 1
        deviation = self._deviation(parameters, damped)[at]
        return normal_quantiles(mean[:, at], np.broadcast_to(deviation, (len(mean), len(at))))

    def _filtered(
        self, parameters: Parameters, log_values: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return level and trend after each value."""
        level, trend = number(parameters, "level"), number(parameters, "trend")
        damping = number(parameters, "damping")
        level_rate = number(parameters, "level_rate")
        trend_rate = number(parameters, "trend_rate")
        levels, trends = np.empty(len(log_values)), np.empty(len(log_values))
        for place, value in enumerate(log_values.tolist()):
            expected = level + damping * trend
            error = value - expected
            level = expected + level_rate * error
            trend = damping * trend + trend_rate * error
            levels[place], trends[place] = level, trend
        return levels, trends

    def _deviation(self, parameters: Parameters, damped: FloatArray) -> FloatArray:
        """Return the deviation 1, 2, … sessions ahead, from table 6.2 of the book."""
        carried = number(parameters, "level_rate") + number(parameters, "trend_rate") * damped[:-1]
        total = 1 + np.concatenate([[0.0], np.cumsum(carried**2)])
        return np.asarray(number(parameters, "deviation") * np.sqrt(total))
