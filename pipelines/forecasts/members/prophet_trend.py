"""Prophet's trend as a drift: where a portfolio goes, by a piecewise linear trend.

Taylor and Letham (2018). Prophet's level is no forecast of a value, since what is left over walks
at random; so its last slope counts from the last value, with the deviation of returns around it. No
season: four years can't tell one from luck.
"""

import numpy as np

from pipelines.forecasts.members.member import Parameters, Question, number
from pipelines.forecasts.members.random_walk import running_moments
from pipelines.forecasts.quantiles import FloatArray, normal_quantiles
from pipelines.prophet_logs import quiet_prophet

CHANGEPOINTS = 12
"""One each third of a year in a window of four years."""
SEED = 1
"""Of Stan's starting point."""


class ProphetTrend:
    """Normal returns around the slope of Prophet's trend."""

    name = "prophet"

    def fit(self, log_values: FloatArray) -> Parameters:
        """Fit the trend and keep its last slope."""
        return {"slope": float(_slope(log_values))}

    def quantiles(
        self, parameters: Parameters, question: Question, rng: np.random.Generator
    ) -> FloatArray:
        """Return normal quantiles along the slope."""
        del rng  # nothing is drawn
        _, deviation = running_moments(question)
        horizon = np.asarray(question.horizons, dtype=np.float64)
        mean = np.broadcast_to(
            number(parameters, "slope") * horizon, (len(deviation), len(horizon))
        )
        return normal_quantiles(mean, deviation[:, None] * np.sqrt(horizon))


def _slope(log_values: FloatArray) -> float:
    """Return the slope of the trend behind its last changepoint, a session."""
    import pandas as pd
    from prophet import Prophet

    days = pd.date_range("2000-01-01", periods=len(log_values))  # a session is a day here
    model = Prophet(
        n_changepoints=CHANGEPOINTS,
        daily_seasonality=False,
        weekly_seasonality=False,
        yearly_seasonality=False,
        uncertainty_samples=0,
    )
    ahead = pd.DataFrame({"ds": days[-1] + pd.to_timedelta([0, 1], unit="D")})
    with quiet_prophet():
        model.fit(pd.DataFrame({"ds": days, "y": log_values}), seed=SEED)
        before, after = model.predict(ahead)["yhat"]
    return float(after - before)
