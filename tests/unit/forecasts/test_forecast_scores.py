"""What a track record may claim."""

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from pipelines.forecasts.scores import (
    coverage,
    diebold_mariano,
    effective_number,
    wilson_interval,
)


def test_wilson_is_the_published_interval() -> None:
    """Newcombe (1998), table I: 81 of 263 gives 0.2553 to 0.3662."""
    assert wilson_interval(81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_independent_outcomes_count_whole_and_overlapping_ones_less() -> None:
    """Coverage of overlapping months would otherwise be known far too well."""
    noise = np.random.default_rng(1).standard_normal(4021)
    assert effective_number(noise, horizon=1) == 4021
    overlapping = np.convolve(noise, np.ones(21), mode="valid")
    found = effective_number(overlapping, horizon=21)
    # The true inflation of a sum of 21 with Bartlett's weights over 20 lags is about 14.
    assert len(overlapping) / 21 <= found < len(overlapping) / 10


def test_a_band_that_always_holds_claims_no_more_than_it_may() -> None:
    """All within says nothing about how the hits hang together: the fewest are assumed."""
    made = coverage(np.ones(210, dtype=bool), horizon=21)
    assert made is not None
    assert made.effective == 10
    assert made.low == pytest.approx(0.722, abs=1e-3)
    assert coverage(np.zeros(0, dtype=bool), horizon=1) is None


def test_diebold_mariano_of_one_session_is_students_test() -> None:
    """With Harvey, Leybourne and Newbold's correction they are the same statistic."""
    rng = np.random.default_rng(2)
    first, second = rng.random(80), rng.random(80) + 0.1
    made, expected = diebold_mariano(first, second, horizon=1), ttest_1samp(first - second, 0)
    assert made is not None
    assert made.statistic == pytest.approx(expected.statistic)
    assert made.p_value == pytest.approx(expected.pvalue)


def test_diebold_mariano_keeps_its_level_when_outcomes_overlap() -> None:
    """Treating overlapping origins as independent would find a winner where there is none."""
    rng = np.random.default_rng(3)
    refused = naive = 0
    for _ in range(300):
        noise = np.convolve(rng.standard_normal(270), np.ones(10), mode="valid")
        made, wrong = (diebold_mariano(noise, np.zeros(261), horizon=h) for h in (10, 1))
        assert made is not None
        assert wrong is not None
        refused += made.p_value < 0.05
        naive += wrong.p_value < 0.05
    assert refused / 300 < 0.15 < 0.4 < naive / 300


def test_equal_forecasts_are_not_compared() -> None:
    """A variance of zero would make a statistic out of rounding."""
    assert diebold_mariano(np.ones(50), np.ones(50), horizon=5) is None
