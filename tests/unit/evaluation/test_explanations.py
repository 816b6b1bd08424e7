"""What moved opinions: shares that sum to one, and an honest word on their stability."""

import numpy as np
import polars as pl
import pytest

from pipelines.evaluation.explanations import Explanation, Impacts, explain
from pipelines.validation.session_bootstrap import resample_sessions
from tests.support.evaluated import small_evaluation
from tests.support.panels import weekdays

FEATURES = tuple("abcdefgh")
DAYS = weekdays(60)


def impacts_of(weights: np.ndarray) -> Impacts:
    """Return impacts of three symbols; `weights` (sessions × features) scale them."""
    rng = np.random.default_rng(2)
    values = rng.standard_normal((len(DAYS) * 3, len(FEATURES)))
    keys = pl.DataFrame(
        {
            "symbol": ["A", "B", "C"] * len(DAYS),
            "session": [day for day in DAYS for _ in range(3)],
            "model_version": [1 + (number >= len(DAYS) // 2) for number in range(len(DAYS))] * 3,
        }
    ).with_columns(pl.col("model_version").sort())
    return Impacts(FEATURES, keys, values, values * np.repeat(weights, 3, axis=0))


def explained(weights: np.ndarray) -> Explanation:
    """Return the explanation of such impacts."""
    found = impacts_of(weights)
    sessions = found.keys["session"].to_numpy()
    drawn = resample_sessions(sessions, resamples=200, rng=np.random.default_rng(1))
    return explain(found, drawn)


def values(found: Explanation) -> tuple[float, float]:
    """Return how alike halves and models are."""
    assert found.halves is not None
    assert found.models is not None
    return found.halves.value, found.models.value


def test_shares_sum_to_one_and_point_somewhere() -> None:
    """A share of what nobody can say would be no importance."""
    steady = np.tile(2.0 ** np.arange(len(FEATURES)), (len(DAYS), 1))
    steady[:, 0] *= -1
    found = explained(steady)
    assert sum(one.share.value for one in found.importances) == pytest.approx(1.0)
    assert [one.feature for one in found.importances] == list(reversed(FEATURES))
    directions = {one.feature: one.direction for one in found.importances}
    assert (directions["a"], directions["h"]) == ("down", "up")
    assert values(found) == pytest.approx((1.0, 1.0))


def test_models_that_disagree_are_told() -> None:
    """A mean over two models that use different features describes neither."""
    rising = 2.0 ** np.arange(len(FEATURES))
    half = len(DAYS) // 2
    found = explained(np.vstack([np.tile(rising, (half, 1)), np.tile(rising[::-1], (half, 1))]))
    halves, models = values(found)
    assert models == pytest.approx(-1.0)
    assert halves > models


def test_a_model_that_learned_nothing_has_no_importances() -> None:
    """Zero by zero would be published as a share."""
    found = explained(np.zeros((len(DAYS), len(FEATURES))))
    assert (found.importances, found.halves, found.models) == ((), None, None)


def test_the_planted_features_are_stable() -> None:
    """What is planted is found in both halves of the sessions."""
    found = small_evaluation()[0].explanation
    assert found is not None
    assert found.halves is not None
    assert found.halves.lower > 0.5
