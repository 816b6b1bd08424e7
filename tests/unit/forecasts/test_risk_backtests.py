"""Backtests of risk against published examples."""

import numpy as np
import pytest
from scipy.stats import binom

from pipelines.forecasts.light import Light
from pipelines.forecasts.quantiles import expected_shortfall, normal_quantiles, value_at_risk
from pipelines.forecasts.risk import (
    acerbi_szekely,
    backtest,
    christoffersen,
    independence_of_counts,
    kupiec,
    traffic_light,
)

DEVIATION = 0.01
NORMAL = normal_quantiles(np.zeros(()), np.array(DEVIATION))


def test_kupiec_is_the_example_of_jorion() -> None:
    """J.P. Morgan 1998: 20 exceptions of a 95 % VaR in 252 days, LR 3.91 (Jorion 2007, ch. 6)."""
    test = kupiec(20, 252, 0.95)
    assert test.statistic == pytest.approx(3.91, abs=0.005)
    assert test.p_value == pytest.approx(0.048, abs=0.0005)


def test_christoffersen_is_the_example_of_jorion() -> None:
    """The same year: 6 of the 20 followed an exception, LR of independence 9.53."""
    test = independence_of_counts(
        calm_calm=218, calm_exception=14, exception_calm=14, exception_exception=6
    )
    assert test.statistic == pytest.approx(9.53, abs=0.005)
    assert test.p_value < 0.01


def test_transitions_are_counted_from_the_sequence() -> None:
    """An exception after an exception must not be taken for one after a calm day."""
    sequence = np.array([0, 1, 1, 0, 0, 0, 1, 0, 0, 1, 1, 1], dtype=bool)
    assert christoffersen(sequence) == independence_of_counts(
        calm_calm=3, calm_exception=3, exception_calm=2, exception_exception=3
    )


def test_no_exception_is_no_error() -> None:
    """Log of zero would end the night of a careful model."""
    assert kupiec(0, 250, 0.99).statistic == pytest.approx(-2 * 250 * np.log(0.99))
    assert christoffersen(np.zeros(250, dtype=bool)).statistic == 0


@pytest.mark.parametrize(
    ("exceptions", "light"),
    [(0, "green"), (4, "green"), (5, "yellow"), (9, "yellow"), (10, "red"), (40, "red")],
)
def test_the_light_is_that_of_the_basel_committee(exceptions: int, light: str) -> None:
    """Basel Committee (1996), table 2: zones of 250 days at 99 %."""
    assert traffic_light(exceptions, 250, 0.99) is Light(light)


def test_cumulative_probabilities_are_those_of_the_basel_committee() -> None:
    """The same table: 89.22 % at 4 exceptions, 95.88 % at 5, 99.97 % at 9, 99.99 % at 10."""
    made = 100 * binom.cdf([4, 5, 9, 10], 250, 0.01)
    assert made == pytest.approx([89.22, 95.88, 99.97, 99.99], abs=0.005)


def _shortfall_statistics(
    deviation: float, samples: int, rng: np.random.Generator
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return Acerbi and Székely's Z2 at 97.5 % for 250 normal losses, many times."""
    losses = deviation * rng.standard_normal((samples, 250))
    small = normal_quantiles(np.zeros(()), np.array(deviation))  # so small that logs don't matter
    at_risk = value_at_risk(small, 0.975)
    shortfall = float(expected_shortfall(small, 0.975))
    breached = np.where(losses > at_risk, losses, 0).sum(axis=1)
    return np.asarray(1 - breached / (250 * 0.025 * shortfall))


def test_the_critical_value_of_the_shortfall_is_the_published_one() -> None:
    """Acerbi and Székely (2014): -0.70 at 5 % for 250 days at 97.5 %, nearly whatever the tail."""
    found = _shortfall_statistics(1e-5, 20_000, np.random.default_rng(1))
    assert float(np.quantile(found, 0.05)) == pytest.approx(-0.70, abs=0.03)


def test_the_p_value_of_the_shortfall_is_the_one_of_the_critical_value() -> None:
    """At the critical value one of twenty right models is refused."""
    at_risk, shortfall = value_at_risk(NORMAL, 0.975), float(expected_shortfall(NORMAL, 0.975))
    losses = np.zeros(250)
    # Eleven mean breaches: Z = 1 - 11 / 6.25 = -0.76, just beyond the critical value.
    losses[:11] = shortfall
    test = acerbi_szekely(
        losses,
        np.full(250, at_risk),
        np.full(250, shortfall),
        confidence=0.975,
        shape=NORMAL,
        rng=np.random.default_rng(1),
    )
    assert test.statistic == pytest.approx(-0.76)
    assert 0.02 < test.p_value < 0.06


def test_right_forecasts_pass_and_those_of_half_the_risk_fail() -> None:
    """A backtest that can't tell the two would be decoration."""
    rng = np.random.default_rng(3)
    losses = DEVIATION * rng.standard_normal(250)
    for scale, is_right in ((1.0, True), (0.5, False)):
        report = backtest(
            losses,
            np.full(250, scale * value_at_risk(NORMAL, 0.99)),
            np.full(250, scale * expected_shortfall(NORMAL, 0.99)),
            confidence=0.99,
            shape=NORMAL,
            rng=rng,
        )
        assert (report.light is Light.GREEN) is is_right
        assert (report.frequency.p_value > 0.05) is is_right
        assert (report.shortfall.p_value > 0.05) is is_right
