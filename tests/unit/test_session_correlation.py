"""What rows of a session say themselves is told from what they say together."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr, ndtri

from pipelines.validation.logistic import expit, fit_line
from pipelines.validation.session_correlation import SessionCorrelation


@settings(deadline=None, max_examples=50)
@given(
    sizes=st.lists(st.integers(1, 6), min_size=1, max_size=6),
    correlation=st.floats(0.0, 0.9),
    seed=st.integers(0, 99),
)
def test_the_own_part_is_the_inverse_of_the_correlation_matrix(
    sizes: list[int], correlation: float, seed: int
) -> None:
    """The short formula must be the textbook's matrix, for sessions of any size."""
    session = np.repeat(np.arange(len(sizes)), sizes)
    values = np.random.default_rng(seed).normal(size=len(session))
    matrix = np.where(session[:, None] == session, correlation, 0.0)
    np.fill_diagonal(matrix, 1.0)
    sessions = SessionCorrelation.of(session).alike(correlation)
    assert sessions.own_part(values) == pytest.approx(np.linalg.solve(matrix, values), abs=1e-9)
    assert sessions.own_weight == pytest.approx(np.diag(np.linalg.inv(matrix)), rel=1e-9)


@pytest.mark.parametrize("correlation", [0.0, 0.2, 0.6])
def test_the_correlation_of_a_sample_is_found(correlation: float) -> None:
    """Too low leaves the market's noise in, too high throws away what sessions differ by."""
    rng = np.random.default_rng(1)
    session = np.repeat(np.arange(4000), 8)
    shared = rng.normal(size=4000)[session]
    values = correlation**0.5 * shared + (1 - correlation) ** 0.5 * rng.normal(size=len(session))
    found = SessionCorrelation.of(session).measured(values).correlation
    assert found == pytest.approx(correlation, abs=0.02)


def test_rows_that_are_alone_in_their_session_are_left_as_they_are() -> None:
    """A market of one symbol has nothing to compare with, and must be learned from all the same."""
    values = np.array([1.0, -2.0, 0.5])
    sessions = SessionCorrelation.of(np.arange(3)).measured(values)
    assert sessions.correlation == 0.0
    assert sessions.own_part(values).tolist() == values.tolist()


def test_the_slope_is_known_better_and_is_the_same_slope() -> None:
    """An intercept for each session would know it as well, but overstate it by the common noise.

    Thirty samples, in which what moves the rows of a session correlates by 0.6.
    """
    plain, correlated = [], []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        session = np.repeat(np.arange(60), 20)
        margin = rng.normal(0.0, 0.3, len(session)) + rng.normal(0.0, 0.2, 60)[session]
        shared = rng.normal(size=60)[session]
        draws = ndtr(0.6**0.5 * shared + 0.4**0.5 * ndtri(rng.random(len(session))))
        is_up = draws < expit(margin)
        sessions = SessionCorrelation.of(session).measured(is_up - 0.5)
        for lines, known in ((plain, None), (correlated, sessions)):
            line = fit_line(margin, is_up, sessions=known)
            assert line is not None
            lines.append(line.parameters[1])
    assert np.mean(correlated) == pytest.approx(1.0, abs=0.12)
    assert np.std(correlated) < 0.6 * np.std(plain)
