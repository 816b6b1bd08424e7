"""Rolling-origin evaluation: what each model, the pool and the calibrated pool were worth.

At each past session everything is made as it would have been made that night, and compared with
what came. What was evaluated once is kept and not made again, so a later night only adds the
origins whose outcome has become known since.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.forecasts.conformal import calibrated_quantiles, levels_by_origin
from pipelines.forecasts.curve import FEWEST_SESSIONS
from pipelines.forecasts.fits import Draws, Fits, member_quantiles
from pipelines.forecasts.members.member import Member
from pipelines.forecasts.pool import pooled_quantiles, weights_by_origin
from pipelines.forecasts.quantiles import (
    FloatArray,
    expected_shortfall,
    levels_of,
    quantiles_at,
    ranked_probability_score,
    value_at_risk,
)
from pipelines.forecasts.settings import HORIZONS, ForecastSettings

POOL, PUBLISHED = "pool", "published"
"""What stands beside the models: their pool, and the pool after calibration."""
FIGURES = ("crps", "hit", "width", "var_95", "var_99", "es_95", "es_99")
"""Score, level of the outcome, width of the band of 5 to 95 %, and one's risk; losses positive."""


@dataclass(frozen=True, eq=False)
class Evaluations:
    """Figures of all models at consecutive origins.

    Attributes:
        models: The members of the pool, then `pool` and `published`.
        first: Position in the curve of the first origin.
        outcomes: Log growth to each horizon: origins × horizons, NaN where it is not known.
        figures: Origins × horizons × models × `FIGURES`, NaN likewise.
    """

    models: tuple[str, ...]
    first: int
    outcomes: FloatArray
    figures: FloatArray

    def of(self, figure: str, *, horizon: int, model: str) -> FloatArray:
        """Return one figure of one model at all origins."""
        at = HORIZONS.index(horizon), self.models.index(model), FIGURES.index(figure)
        return np.asarray(self.figures[:, at[0], at[1], at[2]])

    def of_members(self, figure: str, *, horizon: int) -> FloatArray:
        """Return one figure of the members: origins × members."""
        return np.asarray(self.figures[:, HORIZONS.index(horizon), :-2, FIGURES.index(figure)])

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which origins and horizons are evaluated."""
        return np.asarray(np.isfinite(self.figures[:, :, -1, 0]))


def empty_evaluations(members: Sequence[Member], length: int, evaluated: int) -> Evaluations:
    """Return evaluations of a curve of some length in which nothing is known yet."""
    first = max(FEWEST_SESSIONS - 1, length - 1 - evaluated)
    number = max(0, length - 1 - first)
    models = (*(member.name for member in members), POOL, PUBLISHED)
    return Evaluations(
        models,
        first,
        np.full((number, len(HORIZONS)), np.nan),
        np.full((number, len(HORIZONS), len(models), len(FIGURES)), np.nan),
    )


def evaluate(
    members: Sequence[Member],
    log_values: FloatArray,
    known: Evaluations,
    *,
    fits: Fits,
    settings: ForecastSettings,
    draws: Draws,
) -> Evaluations:
    """Return evaluations with every origin that has matured by the curve's end.

    Args:
        members: The pool's models, in the order of `known`.
        log_values: The curve, through the last session that is known.
        known: What earlier nights evaluated, laid out for this curve.
        fits: Fits of earlier nights; new ones are added.
        settings: Windows and rates.
        draws: Where random numbers come from.
    """
    outcomes = _outcomes(log_values, known.first, len(known.outcomes))
    due = np.isfinite(outcomes) & ~known.known
    rows = np.flatnonzero(due.any(axis=1))
    if not rows.size:
        return known
    origins = [known.first + int(row) for row in rows]
    made = member_quantiles(
        members, log_values, origins, HORIZONS, fits=fits, settings=settings, draws=draws
    )
    figures = known.figures.copy()
    new = due[rows]
    _fill(figures, rows, slice(0, len(members)), figures_of(made, outcomes[rows, :, None]), new)
    pooled = pooled_quantiles(made, _weights(figures, len(members), settings)[rows])
    _fill(figures, rows, slice(-2, -1), figures_of(pooled, outcomes[rows])[:, :, None], new)
    published = calibrated_quantiles(pooled, _levels(figures, -2, settings)[rows])
    _fill(figures, rows, slice(-1, None), figures_of(published, outcomes[rows])[:, :, None], new)
    return Evaluations(known.models, known.first, outcomes, figures)


def figures_of(quantiles: FloatArray, outcomes: FloatArray) -> FloatArray:
    """Return the `FIGURES` of distributions along a new last axis.

    Args:
        quantiles: … × grid; NaN where a model has no forecast.
        outcomes: …, log growth.
    """
    low, high = np.moveaxis(quantiles_at(quantiles, np.array([0.05, 0.95])), -1, 0)
    return np.stack(
        [
            ranked_probability_score(quantiles, outcomes),
            np.where(np.isnan(low), np.nan, levels_of(quantiles, outcomes)),
            high - low,
            *(value_at_risk(quantiles, confidence) for confidence in (0.95, 0.99)),
            *(expected_shortfall(quantiles, confidence) for confidence in (0.95, 0.99)),
        ],
        axis=-1,
    )


def _outcomes(log_values: FloatArray, first: int, number: int) -> FloatArray:
    """Return log growth from each origin to each horizon, NaN beyond the curve's end."""
    origins = first + np.arange(number)
    ends = origins[:, None] + np.array(HORIZONS)
    reached = ends < len(log_values)
    growth = log_values[np.where(reached, ends, 0)] - log_values[origins][:, None]
    return np.asarray(np.where(reached, growth, np.nan))


def _fill(
    figures: FloatArray,
    rows: NDArray[np.intp],
    models: slice,
    values: FloatArray,
    new: NDArray[np.bool_],
) -> None:
    """Write figures where they are new."""
    held = figures[rows, :, models]
    figures[rows, :, models] = np.where(new[..., None, None], values, held)


def _weights(figures: FloatArray, members: int, settings: ForecastSettings) -> FloatArray:
    """Return the weights at each origin: origins × horizons × members."""
    return np.stack(
        [
            weights_by_origin(figures[:, at, :members, 0], horizon=horizon, settings=settings)[:-1]
            for at, horizon in enumerate(HORIZONS)
        ],
        axis=1,
    )


def _levels(figures: FloatArray, model: int, settings: ForecastSettings) -> FloatArray:
    """Return the levels in force at each origin: origins × horizons × nominal levels."""
    return np.stack(
        [
            levels_by_origin(figures[:, at, model, 1], horizon=horizon, step=settings.step)[:-1]
            for at, horizon in enumerate(HORIZONS)
        ],
        axis=1,
    )
