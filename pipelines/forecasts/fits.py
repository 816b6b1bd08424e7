"""The fits of a portfolio's models, made on a schedule and kept.

A fit belongs to how many values it has seen, a multiple of the schedule's length, and serves every
origin until the next one. A model that can't be fitted sits out until then.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pipelines.forecasts.curve import FEWEST_SESSIONS
from pipelines.forecasts.members.member import FitError, Member, Parameters, Question
from pipelines.forecasts.quantiles import LEVELS, FloatArray
from pipelines.forecasts.settings import ForecastSettings

Draws = Callable[[str, int], np.random.Generator]
"""Gives the generator of a model (by name) under a fit (by the values it has seen)."""


@dataclass(frozen=True)
class Fit:
    """A fit, or why there is none."""

    parameters: Parameters | None
    fault: str | None = None


@dataclass
class Fits:
    """The fits of one portfolio by model and number of values seen; `made` are new ones."""

    known: dict[tuple[str, int], Fit] = field(default_factory=dict)
    made: list[tuple[str, int]] = field(default_factory=list)

    def of(self, member: Member, log_values: FloatArray, fitted: int, window: int) -> Fit:
        """Return a model's fit to the window that ends with value number `fitted`."""
        key = (member.name, fitted)
        if key not in self.known:
            self.known[key] = _fit(member, log_values[max(0, fitted - window) : fitted])
            self.made.append(key)
        return self.known[key]


def fitted_count(position: int, refit: int) -> int:
    """Return how many values the fit in force at a position of the curve has seen."""
    return max(FEWEST_SESSIONS, (position + 1) // refit * refit)


def member_quantiles(
    members: Sequence[Member],
    log_values: FloatArray,
    origins: Sequence[int],
    horizons: Sequence[int],
    *,
    fits: Fits,
    settings: ForecastSettings,
    draws: Draws,
) -> FloatArray:
    """Return every model's quantiles: origins × horizons × models × grid; NaN without a fit."""
    made = np.full((len(origins), len(horizons), len(members), len(LEVELS)), np.nan)
    for fitted, places in _blocks(origins, settings.refit).items():
        question = question_of(
            log_values, fitted, [origins[place] for place in places], horizons, settings
        )
        for column, member in enumerate(members):
            fit = fits.of(member, log_values, fitted, settings.window)
            if fit.parameters is not None:
                rng = draws(member.name, fitted)
                made[places, :, column] = member.quantiles(fit.parameters, question, rng)
    return np.asarray(np.maximum.accumulate(made, axis=-1))


def question_of(
    log_values: FloatArray,
    fitted: int,
    origins: Sequence[int],
    horizons: Sequence[int],
    settings: ForecastSettings,
) -> Question:
    """Return what models are asked at origins under one fit."""
    first = max(0, fitted - settings.window)
    return Question(
        log_values=log_values[first : max(origins) + 1],
        fitted=fitted - first,
        origins=[origin - first for origin in origins],
        horizons=horizons,
        paths=settings.paths,
    )


def _fit(member: Member, log_values: FloatArray) -> Fit:
    """Fit a model, or keep why it can't be."""
    try:
        return Fit(member.fit(log_values))
    except FitError as error:
        return Fit(None, str(error))


def _blocks(origins: Sequence[int], refit: int) -> Mapping[int, list[int]]:
    """Return the places of origins by the fit that serves them."""
    blocks: dict[int, list[int]] = {}
    for place, origin in enumerate(origins):
        blocks.setdefault(fitted_count(origin, refit), []).append(place)
    return blocks
