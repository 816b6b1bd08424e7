"""The best of many tries: published examples, and what luck alone must give."""

import math
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from pipelines.signals.selection import selection_evidence
from pipelines.validation.multiple_testing import (
    ReturnMoments,
    deflated_sharpe_ratio,
    expected_best_sharpe,
    probabilistic_sharpe_ratio,
    probability_of_overfitting,
    return_moments,
)

PUBLISHED = ReturnMoments(sharpe=2.5 / math.sqrt(250), skewness=-3.0, kurtosis=10.0, sessions=1250)
"""Bailey & López de Prado 2014, "A numerical example": 2.5 a year over five years."""
VARIANCE = 0.5 / 250


@pytest.mark.parametrize(("trials", "expected"), [(100, 0.9004), (46, 0.9505)])
def test_the_deflated_sharpe_ratio_is_the_published_one(trials: int, expected: float) -> None:
    """The paper's figures for 100 and for 46 independent trials."""
    deflated = deflated_sharpe_ratio(PUBLISHED, trials=trials, variance=VARIANCE)
    assert deflated == pytest.approx(expected, abs=5e-5)


def test_the_best_of_a_hundred_is_the_published_one() -> None:
    """The paper's threshold, not annualised."""
    assert expected_best_sharpe(trials=100, variance=VARIANCE) == pytest.approx(0.1132, abs=5e-5)


def test_a_single_trial_is_judged_against_zero() -> None:
    """Nothing was chosen, so there is no luck of the choice."""
    deflated = deflated_sharpe_ratio(PUBLISHED, trials=1, variance=0.0)
    assert deflated == probabilistic_sharpe_ratio(PUBLISHED, benchmark=0.0)


def test_no_trial_has_no_best() -> None:
    """A count of zero is a caller's mistake, not a free pass."""
    with pytest.raises(ValueError, match="the best of 0 trials"):
        expected_best_sharpe(trials=0, variance=VARIANCE)


@pytest.mark.parametrize("returns", [np.zeros(100), np.arange(5.0)], ids=["constant", "short"])
def test_returns_that_say_nothing_have_no_moments(returns: np.ndarray) -> None:
    """A ratio of rounding errors would be published as a figure."""
    assert return_moments(returns) is None


def test_choosing_among_noise_is_overfitting_half_of_the_time() -> None:
    """The best in one half of noise is below the median of the other as often as above it."""
    rng = np.random.default_rng(1)
    found = [
        probability_of_overfitting(rng.standard_normal((320, 20)), blocks=8) for _ in range(60)
    ]
    assert np.mean(found) == pytest.approx(0.5, abs=3 * np.std(found) / math.sqrt(len(found)))


def test_choosing_what_is_really_better_is_not_overfitting() -> None:
    """One trial with a Sharpe ratio of 0.5 a session is best in each half."""
    returns = np.random.default_rng(2).standard_normal((480, 10))
    returns[:, 3] += 0.5
    assert probability_of_overfitting(returns) == 0.0


@pytest.mark.parametrize(
    ("shape", "blocks"), [((100, 1), 8), ((100, 5), 7), ((10, 5), 8)], ids=["one", "odd", "short"]
)
def test_what_cant_be_cut_symmetrically_is_refused(shape: tuple[int, int], blocks: int) -> None:
    """The error names what there is."""
    with pytest.raises(ValueError, match=f"{shape[1]} trials, {blocks} blocks and {shape[0]} "):
        probability_of_overfitting(np.ones(shape), blocks=blocks)


def ledger(returns: np.ndarray) -> pl.DataFrame:
    """Return rows of `trial_returns`, a trial for each column."""
    sessions = [date(2020, 1, 1) + timedelta(days=day) for day in range(len(returns))]
    return pl.concat(
        pl.DataFrame({"trial_id": f"t{number}", "session": sessions, "net_return": column})
        for number, column in enumerate(returns.T)
    )


def test_copies_of_a_trial_count_as_one() -> None:
    """Entering the same trial often must not make it look like a choice among many."""
    rng = np.random.default_rng(3)
    copies = np.repeat(rng.standard_normal((200, 1)) + 0.1, 5, axis=1)
    evidence = selection_evidence(ledger(copies), published="t0")
    assert evidence.trials == 5
    assert evidence.independent_trials == pytest.approx(1.0)
    moments = return_moments(copies[:, 0])
    assert moments is not None
    assert evidence.deflated_sharpe == pytest.approx(
        probabilistic_sharpe_ratio(moments, benchmark=0.0)
    )


def test_more_worthless_trials_make_the_same_result_worth_less() -> None:
    """The count is what the ledger is kept for."""
    rng = np.random.default_rng(4)
    returns = rng.standard_normal((500, 40))
    returns[:, 0] += 0.15
    few = selection_evidence(ledger(returns[:, :3]), published="t0").deflated_sharpe
    many = selection_evidence(ledger(returns), published="t0").deflated_sharpe
    assert few is not None
    assert many is not None
    assert many < few


def test_a_lone_short_trial_is_not_judged() -> None:
    """Too few sessions give no figure rather than a wrong one."""
    evidence = selection_evidence(ledger(np.full((10, 1), 0.01)), published="t0")
    assert evidence.deflated_sharpe is None
    assert evidence.overfitting is None
