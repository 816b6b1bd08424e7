"""Fits of each family: what they recover, and what they refuse."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from pipelines.regimes.filtering import filtered, log_likelihood
from pipelines.regimes.fitting import fit_candidate
from pipelines.regimes.hidden_markov import has_converged
from pipelines.regimes.model import RegimeModel, long_run
from pipelines.regimes.settings import (
    BASELINE,
    RETURN_AND_IMPLIED,
    RETURN_ONLY,
    SMOOTHED,
    Candidate,
    Family,
    RegimeSettings,
)
from pipelines.regimes.states import UnusableFitError
from tests.support.regime_markets import (
    CALM,
    TWO_STATES,
    WILD,
    index_bars,
    market_returns,
    series_of,
)

SETTINGS = RegimeSettings()


def panel(sessions: int = 1000, *, seed: int = 1) -> pl.DataFrame:
    """Return the columns of a market of two states."""
    return series_of(index_bars(market_returns(sessions, seed=seed)[0]))[0].panel


@pytest.mark.parametrize(
    "candidate",
    [TWO_STATES, Candidate(Family.MIXTURE, 2, SMOOTHED), Candidate(Family.KMEANS, 2, SMOOTHED)],
    ids=lambda candidate: candidate.family.value,
)
def test_two_states_are_found_with_their_volatility(candidate: Candidate) -> None:
    """The families see other things, but what they find must be the market's states."""
    model = fit_candidate(panel(), candidate, settings=SETTINGS).model
    calm, wild = sorted(model.market_std)
    assert calm == pytest.approx(CALM[1], rel=0.2)
    assert wild == pytest.approx(WILD[1], rel=0.2)
    assert model.transition.sum(axis=1) == pytest.approx(1.0)


def test_the_filter_gives_the_likelihood_that_hmmlearn_gives() -> None:
    """Parameters are hmmlearn's, the filter is ours: they must mean the same model."""
    from hmmlearn.hmm import GaussianHMM

    fitted = fit_candidate(panel(), TWO_STATES, settings=SETTINGS).model
    points = (panel()["market_return"].drop_nulls().to_numpy()[:, None] - fitted.center) / (
        fitted.scale
    )
    theirs = GaussianHMM(2, covariance_type="full")
    theirs.n_features = 1
    theirs.startprob_, theirs.transmat_ = fitted.start, fitted.transition
    theirs.means_, theirs.covars_ = fitted.means, fitted.covariances
    ours = fitted.log_likelihoods(points * fitted.scale + fitted.center)
    predicted, _ = filtered(ours, start=fitted.start, transition=fitted.transition)
    assert log_likelihood(ours, predicted) == pytest.approx(theirs.score(points))


def test_a_fit_that_hmmlearn_calls_converged_is_not_believed() -> None:
    """One iteration from a poor start with a loose tolerance is called converged by hmmlearn."""
    from hmmlearn.hmm import GaussianHMM

    points = panel()["market_return"].drop_nulls().to_numpy()[:, None] * 100
    theirs = GaussianHMM(2, covariance_type="full", n_iter=3, tol=1e6, random_state=1).fit(points)
    assert theirs.monitor_.converged
    theirs.set_params(init_params="")
    assert not has_converged(theirs, points)


def test_a_stored_model_reads_back_to_the_bit() -> None:
    """A night that is replayed must filter with the very same numbers."""
    import json

    model = fit_candidate(panel(), TWO_STATES, settings=SETTINGS).model
    again = RegimeModel.from_document(json.loads(json.dumps(model.to_document())))
    seen = np.linspace(-0.05, 0.05, 50)[:, None]
    assert np.array_equal(again.log_likelihoods(seen), model.log_likelihoods(seen))
    assert (again.candidate, again.fitted_through) == (model.candidate, model.fitted_through)


def test_the_same_sessions_give_the_same_fit() -> None:
    """Random starts are seeded."""
    first, second = (fit_candidate(panel(), TWO_STATES, settings=SETTINGS).model for _ in range(2))
    assert np.array_equal(first.means, second.means)


def test_a_state_that_lasts_a_few_days_is_no_regime() -> None:
    """It would be a kind of day: a name that comes and goes with it says nothing of tomorrow."""
    lasting = replace(SETTINGS, shortest_stay_sessions=200.0)
    model = fit_candidate(panel(), TWO_STATES, settings=SETTINGS).model
    assert 10.0 < 1.0 / (1.0 - model.transition.diagonal().min()) < 200.0
    with pytest.raises(UnusableFitError, match="live, and 200 sessions on average"):
        fit_candidate(panel(), TWO_STATES, settings=lasting)


def test_rare_wild_states_are_found() -> None:
    """Begun from groups of one size alone, a fit can end with two states in one."""
    rng = np.random.default_rng(5)
    lengths, deviations = [500, 60, 25, 200, 50, 15, 100, 50], [0.006, 0.009, 0.022]
    truth = np.repeat([0, 1, 2, 0, 1, 2, 0, 1], lengths)
    returns = np.array(deviations)[truth] * rng.standard_normal(len(truth))
    panel = series_of(index_bars(returns))[0].panel
    candidate = Candidate(Family.HIDDEN_MARKOV, 3, RETURN_ONLY)
    model = fit_candidate(panel, candidate, settings=SETTINGS).model
    assert sorted(model.market_std) == pytest.approx(deviations, rel=0.15)


@pytest.mark.parametrize(
    ("candidate", "returns", "reason"),
    [
        (BASELINE, np.zeros(400), "does not move"),
        (BASELINE, np.full(30, 0.01), "29 sessions are too few"),
        (Candidate(Family.HIDDEN_MARKOV, 2, RETURN_AND_IMPLIED), None, "0 of 399 sessions"),
        (Candidate(Family.HIDDEN_MARKOV, 9, RETURN_ONLY), None, "starts converges|holds"),
    ],
    ids=["constant", "thirty sessions", "no implied volatility", "too many states"],
)
def test_what_can_not_be_fitted_says_why(
    candidate: Candidate, returns: np.ndarray[tuple[int], np.dtype[np.float64]] | None, reason: str
) -> None:
    """A person reads these words beside the candidates of a fit."""
    moves = market_returns(400)[0] if returns is None else returns
    few = replace(SETTINGS, stickiness=2000.0)
    with pytest.raises(UnusableFitError, match=reason):
        fit_candidate(series_of(index_bars(moves))[0].panel, candidate, settings=few)


def test_long_run_chances_are_those_of_the_chain() -> None:
    """A filter starts on them: 3 of 4 sessions in the first state."""
    assert long_run(np.array([[0.99, 0.01], [0.03, 0.97]])) == pytest.approx([0.75, 0.25])
