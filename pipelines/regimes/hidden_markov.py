"""Gaussian hidden Markov models by hmmlearn, begun at several points and checked by us.

hmmlearn calls a fit converged whose likelihood fell, and one that ran out of iterations it only
logs. Here a fit counts when one more iteration of its own would move next to nothing, by the
likelihood of our own filter.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import numpy as np

from pipelines.regimes.filtering import filtered, log_likelihood
from pipelines.regimes.labels import IntArray
from pipelines.regimes.model import FloatArray, long_run
from pipelines.regimes.settings import RegimeSettings
from pipelines.regimes.states import States, UnusableFitError

SHORT_ITERATIONS = 8
"""Each start is tried for so long; the best goes on (Biernacki, Celeux and Govaert, 2003)."""
LONG_ITERATIONS = 10
LONGEST_RUNS = 15
GAIN = 1e-5
"""Log-likelihood per session that another iteration may still gain of a converged fit."""
LEAST_VARIANCE = 1e-4
"""Of any direction of a state, columns having a variance of 1: below it the state is a point."""
VOLATILITY_SESSIONS = (5, 21)
SMALLEST_GROUP = 10
"""Sessions of a state to begin with."""
STAY = 0.97


def hidden_markov_states(
    points: FloatArray, states: int, settings: RegimeSettings, previous: States | None
) -> States:
    """Return the states of a Gaussian hidden Markov model.

    Args:
        points: Standardised sessions, the market's return first.
        states: How many.
        settings: Stickiness.
        previous: States of an earlier window, a start among the others.

    Raises:
        UnusableFitError: no start converges on states that last.
    """
    with _quiet():
        begun = list(_starts(points, states, settings, previous))
        tried = [_improved(start, points, SHORT_ITERATIONS) for start in begun]
        for model in sorted(tried, key=lambda model: _score(model, points), reverse=True):
            found = _converged(model, points)
            if found and found.shortest_stay >= settings.shortest_stay_sessions:
                return found
    message = (
        f"none of {len(tried)} starts converges within {LONGEST_RUNS * LONG_ITERATIONS} "
        f"iterations with {states} states that all live, and {settings.shortest_stay_sessions:g} "
        "sessions on average"
    )
    raise UnusableFitError(message)


def _converged(model: Any, points: FloatArray) -> States | None:
    """Return the states that a start leads to; None where it goes nowhere."""
    for _ in range(LONGEST_RUNS):
        model = _improved(model, points, LONG_ITERATIONS)
        if has_converged(model, points):
            return _states(model, points)
    return None


def has_converged(model: Any, points: FloatArray) -> bool:
    """Tell whether one more iteration neither gains nor loses likelihood worth mentioning."""
    gained = _score(_improved(model, points, 1), points) - _score(model, points)
    return bool(abs(gained) <= GAIN * len(points))


def _starts(
    points: FloatArray, states: int, settings: RegimeSettings, previous: States | None
) -> Iterator[Any]:
    """Return models to begin from: the previous states, then states by trailing volatility."""
    if previous is not None:
        yield _begun(previous.means, previous.covariances, previous.transition, settings)
    transition = np.full((states, states), (1.0 - STAY) / max(1, states - 1))
    np.fill_diagonal(transition, STAY if states > 1 else 1.0)
    for groups in _volatility_groups(points[:, 0], states):
        yield _begun(*_moments(points, groups, states), transition, settings)


def _volatility_groups(returns: FloatArray, states: int) -> Iterator[IntArray]:
    """Return ways to sort sessions by trailing volatility, each state's group being large enough.

    Calm states of a market are more common than wild ones: groups of one size alone lead to a
    likelihood that is up to 40 nats short of the best in ten years (on simulated markets).
    """
    halving, even = 0.5 ** np.arange(1, states), np.full(states - 1, 1.0 / states)
    for window in VOLATILITY_SESSIONS:
        squares, counts = (
            np.convolve(series, np.ones(window))[: len(returns)]
            for series in (returns**2, np.ones_like(returns))
        )
        level = squares / counts
        for shares in (halving, even):
            groups = np.searchsorted(np.quantile(level, shares.cumsum()), level)
            if np.bincount(groups, minlength=states).min() >= SMALLEST_GROUP:
                yield groups


def _moments(points: FloatArray, groups: IntArray, states: int) -> tuple[FloatArray, FloatArray]:
    """Return means and covariances of groups of sessions."""
    members = [points[groups == one] for one in range(states)]
    dimensions = points.shape[1]
    noise = 1e-3 * np.eye(dimensions)
    covariances = [np.cov(part.T).reshape(dimensions, dimensions) + noise for part in members]
    return np.array([part.mean(axis=0) for part in members]), np.array(covariances)


def _begun(
    means: FloatArray, covariances: FloatArray, transition: FloatArray, settings: RegimeSettings
) -> Any:
    """Return a model that stands at a point, ready to be improved."""
    from hmmlearn.hmm import GaussianHMM

    states = len(means)
    model = GaussianHMM(
        states,
        covariance_type="full",
        transmat_prior=np.ones((states, states)) + settings.stickiness * np.eye(states),
        init_params="",
        implementation="scaling",  # a third of the time of logarithms; an underflow is refused
        tol=-np.inf,  # convergence is ours to tell
    )
    model.n_features = means.shape[1]
    model.startprob_ = long_run(transition)
    model.transmat_ = transition
    model.means_ = means
    model.covars_ = covariances
    return model


def _improved(model: Any, points: FloatArray, iterations: int) -> Any:
    """Return a copy of a model after some iterations; None where a state has died on the way."""
    if model is None:
        return None
    try:
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            improved = deepcopy(model).set_params(n_iter=iterations).fit(points)
    except ValueError:  # a state without sessions: hmmlearn divides by nothing
        return None
    learnt = (improved.transmat_, improved.means_, improved.covars_)
    if not all(np.isfinite(part).all() for part in learnt):
        return None
    return improved if np.linalg.eigvalsh(improved.covars_).min() > LEAST_VARIANCE else None


def _score(model: Any, points: FloatArray) -> float:
    """Return the log-likelihood of the sessions by our own filter; minus infinity of no model."""
    if model is None:
        return -np.inf
    likelihoods = model._compute_log_likelihood(points)
    predicted, _ = filtered(likelihoods, start=model.startprob_, transition=model.transmat_)
    return log_likelihood(likelihoods, predicted)


def _states(model: Any, points: FloatArray) -> States:
    """Return what a model has found."""
    return States(
        projection=np.eye(points.shape[1]),
        means=np.asarray(model.means_),
        covariances=(model.covars_ + model.covars_.transpose(0, 2, 1)) / 2,
        transition=np.asarray(model.transmat_),
        shares=np.asarray(model.predict_proba(points)),
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep hmmlearn from warning of each fit that it thinks has not converged."""
    logger = logging.getLogger("hmmlearn")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
