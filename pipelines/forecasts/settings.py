"""What forecasts are made with: horizons, windows, the schedule of fits, seeds."""

from dataclasses import dataclass

HORIZONS = (1, 5, 10, 21)
"""Sessions ahead that are scored, calibrated and published: a day, a week, two weeks, a month."""

LONGEST = max(HORIZONS)

PERCENTILES = (1, 5, 10, 25, 50, 75, 90, 95, 99)
"""What a fan chart shows."""


@dataclass(frozen=True)
class ForecastSettings:
    """Choices of the forecasts.

    Attributes:
        window: Sessions that a fit looks back on.
        refit: Sessions between two fits of a model; in between it takes in each session.
        evaluated: Origins in the past that are evaluated when a portfolio is new.
        paths: Sample paths of a simulating model.
        memory: Matured origins that weights are made from.
        learning_rate: How fast weight follows score: of two models, the one that is worse by the
            mean score in sum, over independent origins, has exp(-learning_rate) of the weight.
        step: How fast calibration follows misses, see `pipelines.forecasts.conformal`.
        seed: Seed of all draws.
    """

    window: int = 1000
    refit: int = 126
    evaluated: int = 756
    paths: int = 1000
    memory: int = 756
    learning_rate: float = 1.0
    step: float = 0.002
    seed: int = 20130301
