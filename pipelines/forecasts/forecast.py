"""Tonight's forecast of one portfolio: from its models to a calibrated fan, paths and risk."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.forecasts.conformal import calibrated_quantiles, levels_by_origin
from pipelines.forecasts.evaluation import POOL, Evaluations
from pipelines.forecasts.fits import Draws, Fits, fitted_count, member_quantiles, question_of
from pipelines.forecasts.members.catalogue import PATH_MEMBERS
from pipelines.forecasts.members.member import FitError, Member
from pipelines.forecasts.paths import rank_mapped
from pipelines.forecasts.pool import pooled_quantiles, weights_by_origin
from pipelines.forecasts.quantiles import FloatArray
from pipelines.forecasts.settings import HORIZONS, LONGEST, ForecastSettings

STEPS: FloatArray = np.arange(1, LONGEST + 1, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Distribution:
    """What a portfolio's log growth may be at each session of the horizon.

    Attributes:
        quantiles: Calibrated: steps × grid.
        paths: Sample paths with these marginals: steps × paths.
        weights: Weight of each model by horizon: horizons × models.
        levels: Where each nominal quantile is read off the source: horizons × nominal levels.
        source: `pool`, or the model that stands in for it.
    """

    quantiles: FloatArray
    paths: FloatArray
    weights: FloatArray
    levels: FloatArray
    source: str


def forecast(
    members: Sequence[Member],
    log_values: FloatArray,
    evaluations: Evaluations,
    *,
    source: str,
    fits: Fits,
    settings: ForecastSettings,
    draws: Draws,
) -> Distribution:
    """Forecast from the curve's last session.

    Args:
        members: The pool's models.
        log_values: The curve, through tonight.
        evaluations: What is known tonight of earlier forecasts.
        source: `pool`, or the one model to publish; where it has no fit, all others share alike.
        fits: Fits by model; new ones are added.
        settings: Windows and rates.
        draws: Where random numbers come from.

    Raises:
        FitError: no model that simulates could be fitted.
    """
    origin = len(log_values) - 1
    made = member_quantiles(
        members,
        log_values,
        [origin],
        STEPS.astype(int).tolist(),
        fits=fits,
        settings=settings,
        draws=draws,
    )[0]
    weights = _weights(members, evaluations, source, settings)
    pooled = pooled_quantiles(made, between_horizons(weights))
    levels = np.stack([_levels(evaluations, source, horizon, settings) for horizon in HORIZONS])
    quantiles = calibrated_quantiles(pooled, between_horizons(levels))
    template = _template(log_values, fits=fits, settings=settings, draws=draws)
    return Distribution(quantiles, rank_mapped(template, quantiles), weights, levels, source)


def between_horizons(values: FloatArray) -> FloatArray:
    """Return values for each session from values at the scored horizons, by their logarithm."""
    ahead, known = np.log(STEPS), np.log(HORIZONS)
    return np.stack([np.interp(ahead, known, column) for column in values.T], axis=1)


def _weights(
    members: Sequence[Member], evaluations: Evaluations, source: str, settings: ForecastSettings
) -> FloatArray:
    """Return each model's weight by horizon."""
    if source != POOL:
        alone = np.array([float(member.name == source) for member in members])
        return np.tile(alone, (len(HORIZONS), 1))
    return np.stack(
        [
            weights_by_origin(
                evaluations.of_members("crps", horizon=horizon), horizon=horizon, settings=settings
            )[-1]
            for horizon in HORIZONS
        ]
    )


def _levels(
    evaluations: Evaluations, source: str, horizon: int, settings: ForecastSettings
) -> FloatArray:
    """Return where each nominal quantile is to be read off the source tonight."""
    hits = evaluations.of("hit", horizon=horizon, model=source)
    return np.asarray(levels_by_origin(hits, horizon=horizon, step=settings.step)[-1])


def _template(
    log_values: FloatArray, *, fits: Fits, settings: ForecastSettings, draws: Draws
) -> FloatArray:
    """Return simulated paths of the first model that can: steps × paths."""
    origin = len(log_values) - 1
    fitted = fitted_count(origin, settings.refit)
    question = question_of(log_values, fitted, [origin], [LONGEST], settings)
    for member in PATH_MEMBERS:
        fit = fits.of(member, log_values, fitted, settings.window)
        if fit.parameters is not None:
            paths = member.paths(fit.parameters, question, draws(member.name, fitted))
            return np.asarray(paths[0])
    message = f"none of {[member.name for member in PATH_MEMBERS]} has a fit at this session"
    raise FitError(message)
