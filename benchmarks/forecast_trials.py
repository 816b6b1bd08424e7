"""Simulated portfolios: forecasts of every night, kept where they are independent."""

import warnings
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.forecast_processes import PROCESSES
from pipelines.forecasts.curve import FEWEST_SESSIONS
from pipelines.forecasts.evaluation import PUBLISHED, Evaluations, empty_evaluations, evaluate
from pipelines.forecasts.fits import Fits
from pipelines.forecasts.members.catalogue import MEMBERS
from pipelines.forecasts.nightly import draws_of
from pipelines.forecasts.quantiles import (
    FloatArray,
    normal_quantiles,
    ranked_probability_score,
    sample_quantiles,
)
from pipelines.forecasts.settings import HORIZONS, LONGEST, ForecastSettings
from pipelines.prophet_logs import quiet_prophet

NORMAL_BAND, PROPHET_ALONE = "normal band", "prophet alone"
PROPHET_SAMPLES = 300


@dataclass(frozen=True)
class Trial:
    """What is asked of one process.

    Attributes:
        process: Name of the process.
        seed: Seed of the series.
        burn_in: Nights before the first that counts: weights and calibration settle.
        origins: Independent origins, 21 sessions apart.
        prophet: Of these, how many Prophet is fitted afresh at.
        refit: Sessions between two fits of a model.
    """

    process: str
    seed: int
    burn_in: int
    origins: int
    prophet: int
    refit: int


@dataclass(frozen=True, eq=False)
class TrialResult:
    """What came of one series.

    Attributes:
        name: The process, or the portfolio.
        scores: CRPS by model: origins × horizons; Prophet alone's of the last origins.
        hits: Level of the outcome, of what was published: origins × horizons.
    """

    name: str
    scores: dict[str, FloatArray]
    hits: FloatArray


def run_trial(trial: Trial) -> TrialResult:
    """Evaluate one simulated series every session; keep origins whose outcomes don't overlap."""
    length = FEWEST_SESSIONS + trial.burn_in + LONGEST * trial.origins + 1
    rng = np.random.default_rng([trial.seed, list(PROCESSES).index(trial.process)])
    log_values = np.cumsum(PROCESSES[trial.process](rng, length))
    first = FEWEST_SESSIONS - 1 + trial.burn_in
    return judged_curve(
        trial.process,
        log_values,
        first + LONGEST * np.arange(trial.origins),
        prophet=trial.prophet,
        settings=replace(ForecastSettings(), refit=trial.refit),
        rng=rng,
    )


def judged_curve(
    name: str,
    log_values: FloatArray,
    origins: NDArray[np.intp],
    *,
    prophet: int,
    settings: ForecastSettings,
    rng: np.random.Generator,
) -> TrialResult:
    """Return what forecasts of every night from the first year on were worth at some origins."""
    warnings.simplefilter("ignore")
    evaluations = evaluated(log_values, settings)
    rows = origins - evaluations.first
    scores = {name: figures_of(evaluations, name, "crps")[rows] for name in evaluations.models}
    scores[NORMAL_BAND] = normal_band(log_values, origins, settings)
    asked = origins[len(origins) - prophet :]
    scores[PROPHET_ALONE] = prophet_alone(log_values, asked, settings, rng)
    return TrialResult(name, scores, figures_of(evaluations, PUBLISHED, "hit")[rows])


def evaluated(log_values: FloatArray, settings: ForecastSettings) -> Evaluations:
    """Evaluate a curve from its first year on."""
    return evaluate(
        MEMBERS,
        log_values,
        empty_evaluations(MEMBERS, len(log_values), len(log_values)),
        fits=Fits(),
        settings=settings,
        draws=draws_of("benchmark", settings),
    )


def normal_band(
    log_values: FloatArray, origins: NDArray[np.intp], settings: ForecastSettings
) -> FloatArray:
    """Return scores of the backend's way: mean and deviation of the past, scaled."""
    horizons = np.array(HORIZONS, dtype=np.float64)
    mean, deviation = np.array(
        [
            (returns.mean(), returns.std(ddof=1))
            for returns in (
                np.diff(log_values[max(0, int(origin) - settings.window) : int(origin) + 1])
                for origin in origins
            )
        ]
    ).T
    quantiles = normal_quantiles(mean[:, None] * horizons, deviation[:, None] * np.sqrt(horizons))
    return ranked_probability_score(quantiles, _growth(log_values, origins))


def prophet_alone(
    log_values: FloatArray,
    origins: NDArray[np.intp],
    settings: ForecastSettings,
    rng: np.random.Generator,
) -> FloatArray:
    """Return scores of Prophet as it comes, fitted afresh at each origin."""
    if not len(origins):
        return np.empty((0, len(HORIZONS)))
    made = np.stack(
        [
            _prophet_quantiles(
                log_values[max(0, int(origin) - settings.window) : int(origin) + 1], rng
            )
            for origin in origins
        ]
    )
    return ranked_probability_score(made, _growth(log_values, origins))


def _prophet_quantiles(log_values: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return Prophet's quantiles of growth at the scored horizons."""
    import pandas as pd
    from prophet import Prophet

    np.random.seed(int(rng.integers(2**31)))  # noqa: NPY002 - Prophet draws from the global state
    days = pd.bdate_range("2000-01-03", periods=len(log_values) + LONGEST)
    model = Prophet(daily_seasonality=False, uncertainty_samples=PROPHET_SAMPLES)
    with quiet_prophet():
        model.fit(pd.DataFrame({"ds": days[: len(log_values)], "y": log_values}), seed=1)
        drawn = model.predictive_samples(pd.DataFrame({"ds": days[len(log_values) :]}))["yhat"]
    growth = drawn[np.array(HORIZONS) - 1] - log_values[-1]
    return sample_quantiles(growth)


def _growth(log_values: FloatArray, origins: NDArray[np.intp]) -> FloatArray:
    """Return log growth from origins to the scored horizons."""
    ends = origins[:, None] + np.array(HORIZONS)
    return np.asarray(log_values[ends] - log_values[origins][:, None])


def figures_of(evaluations: Evaluations, model: str, figure: str) -> FloatArray:
    """Return one figure of a model: origins × horizons."""
    return np.stack(
        [evaluations.of(figure, horizon=horizon, model=model) for horizon in HORIZONS], axis=1
    )
