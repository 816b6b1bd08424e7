"""Prophet's residual: how far a bar lies from what its own past foretold, out of sample.

A forecast takes a thousand times as long as the detectors, so it is asked of suspects alone. One
fit on the past up to a month before the bar forecasts that month and the bar. The month's residuals
are out of sample too: they say where the series has drifted to and how far it strays, and the bar's
residual is counted from there.
"""

from datetime import date
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.anomalies.profiles import MAD_TO_DEVIATION, SIGNIFICANT_DIGITS
from pipelines.anomalies.severity import Severity
from pipelines.prophet_logs import quiet_prophet

HISTORY_DAYS = 731
"""Two years of a symbol's past."""
OUT_OF_SAMPLE = 21
"""Sessions, a month: the past that is forecast together with the bar."""
FEWEST_BARS = 252
"""Of a shorter past no trend can be told from a swing."""
MOST_FORECASTS = 20
"""Forecasts a night. One takes a tenth of a second to half a second."""
SUSPICIOUS_P_VALUE = 0.001
"""Ten suspects a night among 10,000 usual bars."""
SUSPICIOUS_SEVERITIES: tuple[Severity, ...] = ("medium", "high", "critical")
SEED = 1


def suspects(scores: pl.DataFrame, ruled: pl.DataFrame) -> pl.DataFrame:
    """Return the bars of each session that a forecast is worth, the most suspect first.

    Args:
        scores: symbol, session, p_value, is_alert, and whatever else the bar comes with.
        ruled: symbol and session of bars in which a rule found an anomaly of SUSPICIOUS_SEVERITIES.
    """
    found = ruled.select("symbol", "session").unique().with_columns(is_ruled=True)
    return (
        scores.join(found, on=["symbol", "session"], how="left")
        .with_columns(pl.col("is_ruled").fill_null(value=False))
        .filter(
            pl.col("is_ruled")
            | pl.col("is_alert")
            | (pl.col("p_value") <= SUSPICIOUS_P_VALUE).fill_null(value=False)
        )
        .sort(
            "session",
            "p_value",
            "is_ruled",
            "symbol",
            descending=[False, False, True, False],
            nulls_last=True,
        )
    )


def residual_score(sessions: list[date], log_levels: NDArray[np.float64]) -> float | None:
    """Return the last value's residual in deviations of the residuals before it.

    Args:
        sessions: Days of the symbol's bars, in order; the last is the bar in question.
        log_levels: Log of the total return index on each, the last one as the bar has it.

    Returns:
        The signed residual, or None where the past is too short.
    """
    if len(sessions) < FEWEST_BARS + OUT_OF_SAMPLE + 1 or not np.isfinite(log_levels).all():
        return None
    cut = len(sessions) - OUT_OF_SAMPLE - 1
    forecast = _forecast(sessions[:cut], log_levels[:cut], sessions[cut:])
    residuals = log_levels[cut:] - forecast
    before, last = residuals[:-1], residuals[-1]
    middle = float(np.median(before))
    strays = float(np.median(np.abs(before - middle)))
    usual_move = float(np.median(np.abs(np.diff(log_levels[:-1]))))
    scale = MAD_TO_DEVIATION * max(strays, usual_move, 1e-4)
    return float(f"{(last - middle) / scale:.{SIGNIFICANT_DIGITS}g}")


def _forecast(
    past: list[date], values: NDArray[np.float64], ahead: list[date]
) -> NDArray[np.float64]:
    """Return Prophet's forecast of later days."""
    import pandas as pd
    from prophet import Prophet

    with quiet_prophet():
        model: Any = Prophet(
            weekly_seasonality=True,
            yearly_seasonality=False,
            daily_seasonality=False,
            uncertainty_samples=0,
        )
        model.fit(pd.DataFrame({"ds": pd.to_datetime(past), "y": values}), seed=SEED)
        forecast = model.predict(pd.DataFrame({"ds": pd.to_datetime(ahead)}))
    return np.asarray(forecast["yhat"], dtype=np.float64)
