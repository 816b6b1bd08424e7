"""Places in a session, against SciPy's ranks, for values that are hard to sort by digits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import rankdata

from pipelines.features.kernels.arrays import FloatArray
from pipelines.features.kernels.sessions import rank

NUMBERS = st.floats(allow_nan=True, allow_infinity=True) | st.sampled_from([0.0, -0.0, 1.0, np.nan])


def places(values: FloatArray, starts: list[int]) -> FloatArray:
    """Return the places in sessions that begin at some rows."""
    result = np.empty(len(values))
    rank(values, np.array([*starts, len(values)]), result)
    return result


def expected(values: FloatArray) -> FloatArray:
    """Return the places in a single session, by SciPy."""
    result, known = np.full(len(values), np.nan), ~np.isnan(values)
    if known.sum() > 1:
        result[known] = (rankdata(values[known]) - 1) / (known.sum() - 1)
    return result


@given(arrays(np.float64, st.integers(1, 60), elements=NUMBERS))
def test_any_values_have_the_places_that_scipy_gives(values: FloatArray) -> None:
    """A sign, an infinity, a zero or a tie would put a symbol in another's place."""
    np.testing.assert_array_equal(places(values, [0]), expected(values))


@pytest.mark.parametrize("spread", [1e-15, 1e-9, 1e-3, 1e300])
def test_values_that_leading_digits_cannot_tell_apart_are_sorted_by_all(spread: float) -> None:
    """Falling values that differ in their last bits alone are the most that has to be moved."""
    values = 1 + spread * np.arange(3000)[::-1]
    np.testing.assert_array_equal(places(values, [0]), expected(values))


def test_sessions_do_not_mix() -> None:
    """Numbers that a longer session left behind would be counted in a shorter one."""
    values = np.random.default_rng(5).normal(size=700)
    starts = [0, 500, 503, 504]
    ends = [*starts[1:], 700]
    whole = [expected(values[begin:end]) for begin, end in zip(starts, ends, strict=True)]
    np.testing.assert_array_equal(places(values, starts), np.concatenate(whole))
