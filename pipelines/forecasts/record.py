"""A portfolio's track record: what the forecasts of the last year were worth, by horizon.

Every figure comes from forecasts whose outcome is known; see `evaluation`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pipelines.forecasts.evaluation import POOL, PUBLISHED, Evaluations
from pipelines.forecasts.light import Light
from pipelines.forecasts.members.catalogue import YARDSTICK
from pipelines.forecasts.quantiles import FloatArray
from pipelines.forecasts.risk import SESSIONS, RiskBacktest, backtest, kupiec, traffic_light
from pipelines.forecasts.scores import Comparison, Coverage, coverage, diebold_mariano
from pipelines.forecasts.settings import HORIZONS

YEAR = 252
CONFIDENCES = (0.95, 0.99)


@dataclass(frozen=True)
class HorizonRecord:
    """How the published forecasts of one horizon did in the last year.

    Attributes:
        coverage: Of the band from 5 to 95 %.
        below: Share of outcomes below the 5 % quantile, with its interval.
        width: Mean width of that band, in log growth.
        scores: Mean CRPS of each model, the pool and what was published.
        against_yardstick: Diebold–Mariano of what was published against the random walk.
    """

    coverage: Coverage
    below: Coverage
    width: float
    scores: Mapping[str, float]
    against_yardstick: Comparison | None


def horizon_record(evaluations: Evaluations, horizon: int) -> HorizonRecord | None:
    """Return the record of one horizon; None where no outcome is known yet."""
    hits = _last(evaluations.of("hit", horizon=horizon, model=PUBLISHED), YEAR)
    within = coverage((hits >= 0.05) & (hits <= 0.95), horizon=horizon)
    below = coverage(hits < 0.05, horizon=horizon)
    if within is None or below is None:
        return None
    scores = {
        model: _last(evaluations.of("crps", horizon=horizon, model=model), YEAR)
        for model in evaluations.models
    }
    published, yardstick = scores[PUBLISHED], scores[YARDSTICK]
    comparable = len(published) == len(yardstick)
    return HorizonRecord(
        coverage=within,
        below=below,
        width=float(_last(evaluations.of("width", horizon=horizon, model=PUBLISHED), YEAR).mean()),
        scores={name: float(score.mean()) for name, score in scores.items() if score.size},
        against_yardstick=diebold_mariano(published, yardstick, horizon=horizon)
        if comparable
        else None,
    )


def risk_backtests(
    evaluations: Evaluations, shape: FloatArray, rng: np.random.Generator
) -> tuple[RiskBacktest, ...]:
    """Return the one-session backtests of the last 250 sessions; none before there are as many.

    Args:
        evaluations: What is known tonight.
        shape: Quantiles of tonight's one-session forecast.
        rng: See `pipelines.forecasts.risk`.
    """
    outcomes = _last(evaluations.outcomes[:, HORIZONS.index(1)], SESSIONS)
    if len(outcomes) < SESSIONS:
        return ()
    return tuple(
        backtest(
            -np.expm1(outcomes),
            _last(
                evaluations.of(f"var_{confidence * 100:.0f}", horizon=1, model=PUBLISHED), SESSIONS
            ),
            _last(
                evaluations.of(f"es_{confidence * 100:.0f}", horizon=1, model=PUBLISHED), SESSIONS
            ),
            confidence=confidence,
            shape=shape,
            rng=rng,
        )
        for confidence in CONFIDENCES
    )


def source_of(evaluations: Evaluations) -> tuple[str, Light | None]:
    """Return what is to be published tonight, and the traffic light of what was.

    The pool, unless its calibrated value at risk of 99 % shows a red light: then the model whose
    own exceptions fit best (Kupiec's likelihood ratio). Without 250 outcomes there is no light.
    """
    exceptions = {
        model: int((_last(evaluations.of("hit", horizon=1, model=model), SESSIONS) < 0.01).sum())
        for model in evaluations.models
        if len(_last(evaluations.of("hit", horizon=1, model=model), SESSIONS)) == SESSIONS
    }
    if PUBLISHED not in exceptions:
        return POOL, None
    light = traffic_light(exceptions[PUBLISHED], SESSIONS, 0.99)
    if light is not Light.RED:
        return POOL, light
    members = [model for model in exceptions if model not in (POOL, PUBLISHED)]
    ratios = {model: kupiec(exceptions[model], SESSIONS, 0.99).statistic for model in members}
    return min(ratios, key=lambda model: ratios[model]), light


def _last(values: FloatArray, number: int) -> FloatArray:
    """Return the newest known values."""
    return values[np.isfinite(values)][-number:]
