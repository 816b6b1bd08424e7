"""AutoARIMA on log values: its order and coefficients by statsforecast, filtered by ours.

Log values differ once, which every price series does, so the order is searched on returns:
ARIMA(p, 1, q) with drift (Hyndman and Khandakar 2008).
"""

import warnings

import numpy as np

from pipelines.forecasts.drift import shrunk_drift
from pipelines.forecasts.members.member import FitError, Parameters, Question, number, numbers
from pipelines.forecasts.quantiles import FloatArray, normal_quantiles

LARGEST_ORDER = 2
LARGEST_ROOT = 0.99
"""Of the polynomials; the optimiser knows no such bound for the moving average."""


class AutoArima:
    """Normal forecasts of the best small ARIMA."""

    name = "auto_arima"

    def fit(self, log_values: FloatArray) -> Parameters:
        """Choose order and coefficients by AICc.

        Raises:
            FitError: its filter would not forget, and forecasts would explode.
        """
        from statsforecast.models import AutoARIMA

        returns = np.diff(log_values)
        scale = returns.std()
        with warnings.catch_warnings():  # candidates that don't converge are passed over
            warnings.simplefilter("ignore")
            found = AutoARIMA(
                d=0,
                seasonal=False,
                max_p=LARGEST_ORDER,
                max_q=LARGEST_ORDER,
                max_order=LARGEST_ORDER,
                approximation=True,
                allowmean=False,
            ).fit((returns - returns.mean()) / scale)
        model = found.model_
        coefficients = {name: float(value) for name, value in model["coef"].items()}
        forward, moving = _ordered(coefficients, "ar"), _ordered(coefficients, "ma")
        _require_inside([1.0, *(-weight for weight in forward)], "autoregressive")
        _require_inside([1.0, *moving], "moving-average")
        return {
            "autoregressive": forward,
            "moving_average": moving,
            "mean": float(returns.mean()),
            "deviation": float(np.sqrt(model["sigma2"]) * scale),
            "count": float(len(returns)),
        }

    def quantiles(
        self, parameters: Parameters, question: Question, rng: np.random.Generator
    ) -> FloatArray:
        """Return normal quantiles of summed returns."""
        del rng  # nothing is drawn
        steps = max(question.horizons)
        past_mean = numbers(parameters, "mean")
        drift = shrunk_drift(past_mean, numbers(parameters, "count"))
        expected = self._expected(parameters, question, steps)
        mean = np.cumsum(expected, axis=1) + drift * np.arange(1, steps + 1)
        at = np.asarray(question.horizons) - 1
        deviation = self._deviation(parameters, steps)[at]
        return normal_quantiles(mean[:, at], np.broadcast_to(deviation, (len(mean), len(at))))

    def _expected(self, parameters: Parameters, question: Question, steps: int) -> FloatArray:
        """Return expected returns around their mean: origins × steps."""
        from scipy.signal import lfilter

        forward = numbers(parameters, "autoregressive")
        moving = numbers(parameters, "moving_average")
        around = question.returns - number(parameters, "mean")
        errors = lfilter(np.r_[1.0, -forward], np.r_[1.0, moving], around)
        last = np.asarray(question.origins) - 1
        past = [around[last - lag] for lag in range(len(forward))]
        noise = [errors[last - lag] for lag in range(len(moving))]
        made: list[FloatArray] = []
        for _ in range(steps):
            value = np.zeros(len(last))
            for weight, before in zip(forward, past, strict=True):
                value = value + weight * before
            for weight, before in zip(moving, noise, strict=True):
                value = value + weight * before
            made.append(value)
            past = [value, *past][: len(forward)]
            noise = [np.zeros_like(value), *noise][: len(moving)]
        return np.stack(made, axis=1)

    def _deviation(self, parameters: Parameters, steps: int) -> FloatArray:
        """Return the deviation of the sum of the next 1, 2, … returns."""
        from scipy.signal import lfilter

        forward = numbers(parameters, "autoregressive")
        moving = numbers(parameters, "moving_average")
        impulse = np.zeros(steps)
        impulse[0] = 1.0
        response = lfilter(np.r_[1.0, moving], np.r_[1.0, -forward], impulse)
        total = np.sqrt(np.cumsum(np.cumsum(response) ** 2))
        return np.asarray(number(parameters, "deviation") * total)


def _require_inside(polynomial: list[float], kind: str) -> None:
    """Refuse a polynomial whose roots are not well inside the unit circle.

    Raises:
        FitError: naming the largest.
    """
    largest = float(np.abs(np.roots(polynomial)).max(initial=0.0))
    if largest > LARGEST_ROOT:
        message = (
            f"ARIMA: the largest {kind} root is {largest:.4f}; it must be below {LARGEST_ROOT}"
        )
        raise FitError(message)


def _ordered(coefficients: dict[str, float], kind: str) -> list[float]:
    """Return the coefficients ar1, ar2, … or ma1, ma2, … in order."""
    return [
        coefficients[f"{kind}{lag}"]
        for lag in range(1, LARGEST_ORDER + 1)
        if f"{kind}{lag}" in coefficients
    ]
