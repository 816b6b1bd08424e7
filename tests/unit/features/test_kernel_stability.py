"""Fifty years of prices near a thousand million, moving by one: the movement must not drown."""

import numpy as np
import pytest

from pipelines.features.expressions import Expression
from pipelines.features.kernels.panel import FeaturePanel, compute_features
from pipelines.features.language import (
    close,
    correlation,
    covariance,
    delta,
    ema,
    high,
    linear_mean,
    mean,
    quantile,
    r_squared,
    residual,
    slope,
    std,
    total,
    variance,
    wilder,
)
from tests.support.naive_features import naive_values

LEVEL = 1e9
ROWS = 50 * 252
LAST = 600
"""Rows at the end that are compared: an error that gathers is largest there."""

OF_THE_MOVEMENT = {
    "delta": delta(close, 250),
    "std": std(close, 60),
    "variance": variance(close, 250),
    "slope": slope(close, 60),
    "r_squared": r_squared(close, 250),
    "residual": residual(close, 60),
    "covariance": covariance(close, high, 250),
    "correlation": correlation(close, high, 60),
}
"""What a level added to all prices leaves as it is."""

OF_THE_LEVEL = {
    "mean": mean(close, 250),
    "share of a total": total(close, 250) / 250,
    "ema": ema(close, 100),
    "wilder": wilder(close, 14),
    "linear_mean": linear_mean(close, 60),
    "quantile": quantile(close, 0.8, 60),
}
"""What moves with it."""


@pytest.fixture(scope="module")
def moves() -> dict[str, np.ndarray]:
    """Return two random walks, exact as the distance of a price from the level."""
    walks = np.cumsum(np.random.default_rng(50).standard_normal((2, ROWS)), axis=1)
    return dict(zip(("close", "high"), (LEVEL + walks) - LEVEL, strict=True))


@pytest.mark.parametrize("name", OF_THE_MOVEMENT | OF_THE_LEVEL)
def test_a_small_movement_of_a_large_price_is_measured(
    name: str, moves: dict[str, np.ndarray]
) -> None:
    """Sums of squares would cancel: 1e18 has no digits left for a variance of 1."""
    expression = (OF_THE_MOVEMENT | OF_THE_LEVEL)[name]
    level = LEVEL if name in OF_THE_LEVEL else 0.0
    panel = FeaturePanel(
        starts=np.array([0, ROWS]),
        days=np.arange(ROWS),
        leaves={leaf: LEVEL + move for leaf, move in moves.items()},
        wanted=np.arange(ROWS - LAST, ROWS),
    )
    found = compute_features({name: expression}, panel)[name] - level
    expected = _of_the_moves(expression, moves)
    scale = np.abs(expected).max()
    assert np.abs(found - expected).max() < 1e-6 * scale


def _of_the_moves(expression: Expression, moves: dict[str, np.ndarray]) -> np.ndarray:
    """Return the values on the distances from the level, which have digits to spare."""
    tail = {leaf: move[-LAST - expression.look_back :] for leaf, move in moves.items()}
    return naive_values(expression, tail)[-LAST:]
