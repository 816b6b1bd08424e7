"""Canaries of a pool: walks of which all is known, on which it must score as whoever knows it all.

Returns are independent and normal, so nobody can foretell more than their mean and deviation. One
more model, which sees each outcome through noise, must be caught by the same rule that the pool's
own models have to pass.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from pipelines.forecasts.curve import FEWEST_SESSIONS
from pipelines.forecasts.evaluation import (
    PUBLISHED,
    Evaluations,
    empty_evaluations,
    evaluate,
    figures_of,
)
from pipelines.forecasts.fits import Fit, Fits
from pipelines.forecasts.forecast import Distribution, forecast
from pipelines.forecasts.members.catalogue import YARDSTICK
from pipelines.forecasts.members.member import Member, Parameters, Question
from pipelines.forecasts.quantiles import FloatArray, normal_quantiles
from pipelines.forecasts.settings import ForecastSettings
from pipelines.lifecycle.evidence import Canary, CanaryName

WALKS, ORIGINS = 3, 126
MEAN, DEVIATION = 0.0003, 0.01
"""Of a session's log return: a year of these is 8 % and 16 %."""
MOST_EXCESS = 0.03
"""By which the pool's CRPS may exceed the true distribution's; of 12 seeds 0.7 % at most."""
MOST_OFF_WIDTH, MOST_OFF_COVERAGE = 0.15, 0.05
TOO_GOOD = 0.6
"""Share of the yardstick's CRPS below which a one-session score is out of any honest reach."""
SEEN_THROUGH = 0.5
"""Noise in deviations through which the planted model sees an outcome: 0.45 of the CRPS is left."""


@dataclass(eq=False)
class SeesTheOutcome:
    """A model that knows what comes, through noise; it belongs to one curve."""

    log_values: FloatArray
    name: str = "planted"

    def fit(self, log_values: FloatArray) -> Parameters:
        """Learn nothing: all is known."""
        return {"values": float(len(log_values))}

    def quantiles(
        self, parameters: Parameters, question: Question, rng: np.random.Generator
    ) -> FloatArray:
        """Return what is left to know once the outcome was seen through noise."""
        del parameters
        origins, horizons = np.asarray(question.origins), np.asarray(question.horizons)
        ends = np.minimum(origins[:, None] + horizons, len(self.log_values) - 1)
        outcome = self.log_values[ends] - self.log_values[origins][:, None]
        deviation = np.tile(DEVIATION * np.sqrt(horizons), (len(origins), 1))
        seen = outcome + SEEN_THROUGH * deviation * rng.standard_normal(outcome.shape)
        trust = 1 / (1 + SEEN_THROUGH**2)
        return normal_quantiles(trust * seen, deviation * np.sqrt(1 - trust))


def pool_canaries(
    members: Sequence[Member],
    settings: ForecastSettings,
    portfolios: Mapping[str, Evaluations] | None = None,
) -> tuple[Canary, ...]:
    """Return what every control says of a pool.

    Args:
        members: Its models.
        settings: How they are fitted, weighted and calibrated.
        portfolios: What they were worth on real curves, where that is known.
    """
    fits = [Fits() for _ in range(WALKS)]
    curves = [_walk(settings.seed + number) for number in range(WALKS)]
    made = [
        _evaluated(members, curve, settings, held) for curve, held in zip(curves, fits, strict=True)
    ]
    planted = _evaluated((*members, SeesTheOutcome(curves[0])), curves[0], settings, fits[0])
    return (
        _like_the_truth(made),
        _leak(planted),
        _honest({f"walk {at}": one for at, one in enumerate(made)} | dict(portfolios or {})),
        _repeat(members, curves[-1], made[-1], settings, fits[-1]),
    )


def known_too_well(evaluations: Evaluations) -> dict[str, float]:
    """Return models whose one-session CRPS is out of reach, as shares of the yardstick's."""
    base = evaluations.of("crps", horizon=1, model=YARDSTICK)
    shares = {}
    for model in evaluations.models:
        own = evaluations.of("crps", horizon=1, model=model)
        both = np.isfinite(own) & np.isfinite(base)
        if both.any() and base[both].mean() > 0:
            shares[model] = float(own[both].mean() / base[both].mean())
    return {model: share for model, share in shares.items() if share < TOO_GOOD}


def _walk(seed: int) -> FloatArray:
    """Return log values of a walk that is long enough for one fit and some origins after it."""
    rng = np.random.default_rng(seed)
    steps = rng.standard_normal(FEWEST_SESSIONS + ORIGINS)
    return np.asarray(np.cumsum(MEAN + DEVIATION * steps))


def _draws(model: str, fitted: int) -> np.random.Generator:
    """Return the generator of a model under a fit."""
    return np.random.default_rng([crc32(model.encode()), fitted])


def _evaluated(
    members: Sequence[Member], curve: FloatArray, settings: ForecastSettings, fits: Fits
) -> Evaluations:
    """Return what models and their pool were worth at the origins of a walk."""
    nothing = empty_evaluations(members, len(curve), settings.evaluated)
    return evaluate(members, curve, nothing, fits=fits, settings=settings, draws=_draws)


def _like_the_truth(made: Sequence[Evaluations]) -> Canary:
    """Hold one-session forecasts against the true distribution: score, width, coverage."""
    outcomes = np.concatenate([one.outcomes[:, 0] for one in made])
    truth = normal_quantiles(np.full(len(outcomes), MEAN), np.full(len(outcomes), DEVIATION))
    true_crps, _, true_width = figures_of(truth, outcomes).mean(axis=0)[:3]

    def published(figure: str) -> FloatArray:
        return np.concatenate([one.of(figure, horizon=1, model=PUBLISHED) for one in made])

    excess = float(published("crps").mean() / true_crps - 1)
    off_width = float(published("width").mean() / true_width - 1)
    within = float(((published("hit") >= 0.05) & (published("hit") <= 0.95)).mean())
    passed = (
        excess < MOST_EXCESS
        and abs(off_width) < MOST_OFF_WIDTH
        and abs(within - 0.9) < MOST_OFF_COVERAGE
    )
    note = (
        f"over {len(outcomes)} sessions of walks CRPS {excess:+.1%} and width {off_width:+.1%} of "
        f"the true distribution's (allowed: {MOST_EXCESS:.0%} and {MOST_OFF_WIDTH:.0%}), "
        f"{within:.3f} within its band of 90 %"
    )
    return Canary(CanaryName.WALK, passed, note)


def _leak(planted: Evaluations) -> Canary:
    """Require that the rule finds the model that sees outcomes."""
    caught = known_too_well(planted)
    told = _in_words(caught)
    return Canary(CanaryName.LEAK, SeesTheOutcome.name in caught, f"caught: {told or 'none'}")


def _honest(made: Mapping[str, Evaluations]) -> Canary:
    """Require that the rule finds none of the pool's own models, nor the pool."""
    found = {name: caught for name, one in made.items() if (caught := known_too_well(one))}
    told = "; ".join(f"{name}: {_in_words(caught)}" for name, caught in found.items())
    note = told or f"none of {len(made)} curves has a model below {TOO_GOOD} of the random walk"
    return Canary(CanaryName.HONEST_POOL, not found, note)


def _in_words(caught: Mapping[str, float]) -> str:
    return ", ".join(
        f"{model} at {share:.2f} of the random walk" for model, share in caught.items()
    )


def _repeat(
    members: Sequence[Member],
    curve: FloatArray,
    known: Evaluations,
    settings: ForecastSettings,
    fits: Fits,
) -> Canary:
    """Forecast from a walk's end twice, the second time by fits that were stored and read back."""

    def made_by(held: Fits) -> Distribution:
        return forecast(
            members, curve, known, source="pool", fits=held, settings=settings, draws=_draws
        )

    stored = Fits({key: _read_back(fit) for key, fit in fits.known.items()})
    first, second = made_by(fits), made_by(stored)
    differing = int((first.quantiles != second.quantiles).sum())
    differing += int((first.paths != second.paths).sum())
    size = first.quantiles.size + first.paths.size
    note = f"{size} numbers of a night made twice, {differing} differ"
    return Canary(CanaryName.REPEAT, differing == 0, note)


def _read_back(fit: Fit) -> Fit:
    """Return a fit as the lake gives it back."""
    return Fit(json.loads(json.dumps(fit.parameters, sort_keys=True)), fit.fault)
