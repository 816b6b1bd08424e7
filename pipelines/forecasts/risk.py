"""Backtests of value at risk and expected shortfall.

An exception is a session that lost more than the value at risk of the evening before.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.forecasts.light import Light
from pipelines.forecasts.quantiles import FloatArray, quantiles_at

SESSIONS = 250
"""The Basel Committee's year."""
YELLOW_FROM, RED_FROM = 0.95, 0.9999
"""Cumulative probabilities of the traffic light (Basel Committee 1996, table 2)."""
RESAMPLES = 2000


@dataclass(frozen=True)
class Test:
    """A test of a null hypothesis: the forecasts are right."""

    statistic: float
    p_value: float


@dataclass(frozen=True)
class RiskBacktest:
    """Value at risk and expected shortfall of one confidence, as they did.

    Attributes:
        confidence: 0.95 or 0.99.
        sessions: Sessions counted.
        exceptions: Sessions that lost more than the value at risk.
        frequency: Kupiec's test that exceptions come as often as they should.
        independence: Christoffersen's test that an exception makes the next no likelier.
        conditional: Both at once.
        shortfall: Acerbi and Székely's second test of the expected shortfall.
        light: The traffic light.
    """

    confidence: float
    sessions: int
    exceptions: int
    frequency: Test
    independence: Test
    conditional: Test
    shortfall: Test
    light: Light


def backtest(
    losses: FloatArray,
    at_risk: FloatArray,
    shortfalls: FloatArray,
    *,
    confidence: float,
    shape: FloatArray,
    rng: np.random.Generator,
) -> RiskBacktest:
    """Test one confidence on consecutive sessions.

    Args:
        losses: Loss of each session, a share of the value; gains are negative.
        at_risk: Value at risk that had been said for it.
        shortfalls: Expected shortfall that had been said for it.
        confidence: Of both.
        shape: Quantiles of a one-session forecast: the shape of tails under the null hypothesis.
        rng: Draws the null distribution of the test of the shortfall.
    """
    from scipy.special import chdtrc

    is_exception = losses > at_risk
    frequency = kupiec(int(is_exception.sum()), len(losses), confidence)
    independence = christoffersen(is_exception)
    joint = frequency.statistic + independence.statistic
    return RiskBacktest(
        confidence=confidence,
        sessions=len(losses),
        exceptions=int(is_exception.sum()),
        frequency=frequency,
        independence=independence,
        conditional=Test(joint, float(chdtrc(2, joint))),
        shortfall=acerbi_szekely(
            losses, at_risk, shortfalls, confidence=confidence, shape=shape, rng=rng
        ),
        light=traffic_light(int(is_exception.sum()), len(losses), confidence),
    )


def kupiec(exceptions: int, sessions: int, confidence: float) -> Test:
    """Test the share of exceptions: Kupiec (1995), likelihood ratio with one degree of freedom."""
    from scipy.special import chdtrc, xlogy

    expected, found = 1 - confidence, exceptions / sessions
    calm = sessions - exceptions
    null = xlogy(calm, 1 - expected) + xlogy(exceptions, expected)
    best = xlogy(calm, 1 - found) + xlogy(exceptions, found)
    statistic = max(0.0, float(-2 * (null - best)))
    return Test(statistic, float(chdtrc(1, statistic)))


def christoffersen(is_exception: NDArray[np.bool_]) -> Test:
    """Test that exceptions don't follow each other: Christoffersen (1998), one degree."""
    before, after = is_exception[:-1], is_exception[1:]
    return independence_of_counts(
        calm_calm=int((~before & ~after).sum()),
        calm_exception=int((~before & after).sum()),
        exception_calm=int((before & ~after).sum()),
        exception_exception=int((before & after).sum()),
    )


def independence_of_counts(
    *, calm_calm: int, calm_exception: int, exception_calm: int, exception_exception: int
) -> Test:
    """Return Christoffersen's test from how often each kind of session followed each."""
    from scipy.special import chdtrc

    exceptions = calm_exception + exception_exception
    total = exceptions + calm_calm + exception_calm
    null = _likelihood(total - exceptions, exceptions)
    free = _likelihood(calm_calm, calm_exception)
    free += _likelihood(exception_calm, exception_exception)
    statistic = max(0.0, -2 * (null - free))
    return Test(statistic, float(chdtrc(1, statistic)))


def traffic_light(exceptions: int, sessions: int, confidence: float) -> Light:
    """Return the Basel Committee's light: green to 4, red from 10 of 250 sessions at 99 %."""
    from scipy.special import bdtr

    reached = float(bdtr(exceptions, sessions, 1 - confidence))
    if reached < YELLOW_FROM:
        return Light.GREEN
    return Light.YELLOW if reached < RED_FROM else Light.RED


def acerbi_szekely(
    losses: FloatArray,
    at_risk: FloatArray,
    shortfalls: FloatArray,
    *,
    confidence: float,
    shape: FloatArray,
    rng: np.random.Generator,
) -> Test:
    """Test the expected shortfall: Acerbi and Székely (2014), test 2.

    Z = 1 - Σ loss · [exception] / (sessions · (1 - confidence) · shortfall); zero is expected, and
    the more negative, the worse. The p-value is one-sided, from draws in which tails have `shape`.
    """
    tail = 1 - confidence
    number = len(losses)
    found = np.where(losses > at_risk, losses, 0.0) / shortfalls
    statistic = float(1 - found.sum() / (number * tail))
    drawn = rng.random((RESAMPLES, number))
    is_exception = drawn < tail
    lost = -np.expm1(quantiles_at(shape, drawn[is_exception]))
    totals = np.zeros(RESAMPLES)
    np.add.at(totals, np.nonzero(is_exception)[0], lost)
    drawn_mean = float(lost.mean()) if lost.size else 1.0
    null = 1 - totals / (number * tail * drawn_mean)
    return Test(statistic, float((1 + (null <= statistic).sum()) / (RESAMPLES + 1)))


def _likelihood(calm: int, exceptions: int) -> float:
    """Return the log likelihood of exceptions at their own frequency."""
    from scipy.special import xlogy

    total = calm + exceptions
    if total == 0:
        return 0.0
    return float(xlogy(calm, calm / total) + xlogy(exceptions, exceptions / total))
