"""The forward filter: right by the textbook, blind to the future, patient with gaps."""

import numpy as np
import pytest

from pipelines.regimes.filtering import filtered, log_likelihood
from tests.support.regime_markets import TRANSITION, a_model, market_returns

UMBRELLA = np.array([[0.7, 0.3], [0.3, 0.7]])
SEEN = np.log(np.array([[0.9, 0.2]]))
"""Chance of an umbrella on a day of rain, and on one without."""


def test_the_umbrella_world_comes_out_as_in_the_textbook() -> None:
    """Russell and Norvig, section 15.2: 0.500, 0.818 after one umbrella, 0.627, 0.883 after two."""
    predicted, posterior = filtered(
        np.repeat(SEEN, 2, axis=0), start=np.array([0.5, 0.5]), transition=UMBRELLA
    )
    assert predicted[:, 0] == pytest.approx([0.500, 0.627], abs=5e-4)
    assert posterior[:, 0] == pytest.approx([0.818, 0.883], abs=5e-4)


def test_the_likelihood_is_that_of_summing_over_all_paths() -> None:
    """By hand: P(u1) = 0.55, P(u2 | u1) = 0.9 · 0.627 + 0.2 · 0.373."""
    likelihoods = np.repeat(SEEN, 2, axis=0)
    predicted, _ = filtered(likelihoods, start=np.array([0.5, 0.5]), transition=UMBRELLA)
    second = 0.9 * (0.7 * 9 / 11 + 0.3 * 2 / 11) + 0.2 * (0.3 * 9 / 11 + 0.7 * 2 / 11)
    assert log_likelihood(likelihoods, predicted) == pytest.approx(np.log(0.55 * second))


def test_later_sessions_change_no_posterior() -> None:
    """A smoothed posterior, hmmlearn's own, would move with what comes after."""
    returns, _ = market_returns(400)
    model = a_model()
    likelihoods = model.log_likelihoods(returns[:, None])
    _, whole = filtered(likelihoods, start=model.start, transition=TRANSITION)
    likelihoods[300:] = model.log_likelihoods(-9 * returns[300:, None])
    _, changed = filtered(likelihoods, start=model.start, transition=TRANSITION)
    _, cut = filtered(likelihoods[:300], start=model.start, transition=TRANSITION)
    assert np.array_equal(whole[:300], changed[:300])
    assert np.array_equal(whole[:300], cut)
    assert not np.array_equal(whole[300:], changed[300:])


def test_a_session_without_a_return_teaches_nothing() -> None:
    """A gap must leave the prediction, not make a state up."""
    model = a_model()
    returns = np.array([[0.001], [np.nan], [0.001]])
    predicted, posterior = filtered(
        model.log_likelihoods(returns), start=model.start, transition=model.transition
    )
    assert np.array_equal(predicted[1], posterior[1])
    assert np.isfinite(posterior).all()


def test_an_impossible_return_breaks_nothing() -> None:
    """A return that underflows in every state must not make NaN of all that follows."""
    model = a_model()
    _, posterior = filtered(
        model.log_likelihoods(np.array([[0.0], [50.0], [0.0]])),
        start=model.start,
        transition=model.transition,
    )
    assert np.isfinite(posterior).all()
    assert posterior.sum(axis=1) == pytest.approx(1.0)


def test_a_missing_column_leaves_the_return() -> None:
    """An index without a range that day is still judged by its return."""
    from dataclasses import replace

    from pipelines.regimes.settings import RETURN_AND_RANGE, Candidate, Family

    narrow = a_model()
    wide = replace(
        narrow,
        candidate=Candidate(Family.HIDDEN_MARKOV, 2, RETURN_AND_RANGE),
        center=np.zeros(2),
        scale=np.ones(2),
        projection=np.eye(2),
        means=np.hstack([narrow.means, [[-5.0], [-4.0]]]),
        covariances=np.array([np.diag([std**2, 0.1]) for std in narrow.market_std]),
    )
    seen = np.array([[0.01, np.nan], [0.01, -4.0], [np.nan, -4.0]])
    likelihoods = wide.log_likelihoods(seen)
    assert likelihoods[0] == pytest.approx(narrow.log_likelihoods(seen[:1, :1])[0])
    assert likelihoods[1] != pytest.approx(likelihoods[0])
    assert not likelihoods[2].any()
