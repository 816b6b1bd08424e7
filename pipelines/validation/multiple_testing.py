"""What the best of many tries is worth: the deflated Sharpe ratio, and the odds of overfitting.

Returns are those of sessions, before any annualising. A ratio here is per session; multiply by the
square root of `SESSIONS_PER_YEAR` to compare it with ratios of a year. SciPy's statistics load when
they are used: definitions must not pay for them.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from pipelines.validation.logistic import FloatArray

FEWEST_SESSIONS = 30
"""Skewness and kurtosis of fewer sessions say nothing."""


@dataclass(frozen=True)
class ReturnMoments:
    """What the deflated Sharpe ratio needs of a series of returns.

    Attributes:
        sharpe: mean by standard deviation, per session.
        skewness: third standardised moment, 0 for a normal distribution.
        kurtosis: fourth standardised moment, 3 for a normal distribution.
        sessions: number of returns.
    """

    sharpe: float
    skewness: float
    kurtosis: float
    sessions: int


def return_moments(returns: FloatArray) -> ReturnMoments | None:
    """Return the moments of session returns; None for too few of them, or constant ones."""
    from scipy.stats import kurtosis, skew

    if len(returns) < FEWEST_SESSIONS or np.ptp(returns) == 0:
        return None
    return ReturnMoments(
        sharpe=float(returns.mean() / returns.std(ddof=1)),
        skewness=float(skew(returns)),
        kurtosis=float(kurtosis(returns, fisher=False)),
        sessions=len(returns),
    )


def probabilistic_sharpe_ratio(moments: ReturnMoments, *, benchmark: float) -> float:
    """Return the probability that the true Sharpe ratio lies above a benchmark.

    Bailey & López de Prado, The Sharpe ratio efficient frontier, 2012, eq. 11.
    """
    from scipy.stats import norm

    sharpe = moments.sharpe
    variance = 1 - moments.skewness * sharpe + (moments.kurtosis - 1) / 4 * sharpe**2
    return float(norm.cdf((sharpe - benchmark) * np.sqrt((moments.sessions - 1) / variance)))


def expected_best_sharpe(*, trials: float, variance: float) -> float:
    """Return the Sharpe ratio that the best of so many worthless trials is expected to show.

    Bailey & López de Prado, The deflated Sharpe ratio, 2014, eq. 1.

    Args:
        trials: number of independent trials; correlated ones may be worth a fraction.
        variance: variance of their Sharpe ratios, per session.

    Raises:
        ValueError: fewer than one trial.
    """
    from scipy.stats import norm

    if trials < 1:
        message = f"the best of {trials} trials has no Sharpe ratio: name one trial or more"
        raise ValueError(message)
    if trials == 1:
        return 0.0  # nothing was chosen
    largest = norm.ppf(1 - 1 / trials)
    beyond = norm.ppf(1 - 1 / (trials * np.e))
    return float(np.sqrt(variance) * ((1 - np.euler_gamma) * largest + np.euler_gamma * beyond))


def deflated_sharpe_ratio(moments: ReturnMoments, *, trials: float, variance: float) -> float:
    """Return the probability that the chosen trial is better than the luckiest of worthless ones.

    Bailey & López de Prado, The deflated Sharpe ratio, 2014, eq. 2.
    """
    luck = expected_best_sharpe(trials=trials, variance=variance)
    return probabilistic_sharpe_ratio(moments, benchmark=luck)


def probability_of_overfitting(returns: FloatArray, *, blocks: int = 16) -> float:
    """Return how often the trial that is best in one half of the sessions is not in the other.

    Not: it ranks at or below the median there.

    Combinatorially symmetric cross-validation: sessions are cut into blocks, each choice of half of
    them is once the sample to choose by, and the rest the sample to judge by. Trials that can't be
    told apart give 0.5. Bailey, Borwein, López de Prado & Zhu, The probability of backtest
    overfitting, 2017.

    Args:
        returns: sessions × trials, of the same sessions.
        blocks: even number of blocks.

    Raises:
        ValueError: fewer than two trials, or an odd or too large number of blocks.
    """
    from scipy.stats import rankdata

    sessions, trials = returns.shape
    if trials < 2 or blocks % 2 or blocks < 2 or sessions < 2 * blocks:
        message = (
            f"cross-validation needs two trials or more and an even number of blocks of at least "
            f"two sessions, got {trials} trials, {blocks} blocks and {sessions} sessions"
        )
        raise ValueError(message)
    parts = np.array_split(returns, blocks)
    counts = np.array([len(part) for part in parts])
    sums = np.array([part.sum(axis=0) for part in parts])
    squares = np.array([(part**2).sum(axis=0) for part in parts])
    halves = np.array(list(combinations(range(blocks), blocks // 2)))
    chosen = np.zeros((len(halves), blocks))
    np.put_along_axis(chosen, halves, 1.0, axis=1)
    in_sample, out_of_sample = (
        _sharpes(half @ counts, half @ sums, half @ squares) for half in (chosen, 1 - chosen)
    )
    best = in_sample.argmax(axis=1)
    ranks = np.asarray(rankdata(out_of_sample, axis=1))[np.arange(len(best)), best]
    return float(np.mean(ranks / (trials + 1) <= 0.5))


def _sharpes(counts: FloatArray, sums: FloatArray, squares: FloatArray) -> FloatArray:
    """Return the Sharpe ratio of each trial in each choice of blocks; 0 for constant returns."""
    means = sums / counts[:, None]
    variances = squares / counts[:, None] - means**2
    ratios = np.zeros_like(means)
    np.divide(means, np.sqrt(np.maximum(variances, 0)), out=ratios, where=variances > 0)
    return ratios
