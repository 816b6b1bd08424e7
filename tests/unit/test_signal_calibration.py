"""Calibration believes a margin as far as the calibrate slice supports it."""

import numpy as np
import pytest

from pipelines.signals.calibration import (
    LEVEL_DEVIATION,
    PRIOR_SLOPE,
    SLOPE_DEVIATION,
    Calibration,
    calibrate,
)
from pipelines.validation.logistic import expit

BASE_RATE = 0.53


def _calibrated(
    *, slope: float, rows: int = 20_000, spread: float = 0.3, copies: int = 1, symbols: int = 20
) -> Calibration:
    """Return the calibration of a margin whose true slope is `slope`, each row `copies` times."""
    rng = np.random.default_rng(4)
    margin = rng.normal(0.1, spread, rows)
    truth = np.log(BASE_RATE / (1 - BASE_RATE)) + slope * (margin - 0.1)
    is_up, session = rng.random(rows) < expit(truth), np.arange(rows) // symbols
    return calibrate(
        np.repeat(margin, copies),
        np.repeat(is_up, copies),
        np.repeat(session, copies),
        base_rate=BASE_RATE,
        centre=0.1,
    )


@pytest.mark.parametrize("slope", [0.5, 1.0, 3.0])
def test_the_slope_of_the_truth_is_found(slope: float) -> None:
    """Probabilities that are too bold or too shy are wrong however well they rank."""
    line = _calibrated(slope=slope)
    error = line.covariance[1][1] ** 0.5
    assert abs(line.slope - slope) < 3 * error
    assert error < 0.1
    assert line.probability(np.array([0.1]))[0] == pytest.approx(BASE_RATE, abs=0.01)


def test_a_margin_that_points_the_wrong_way_is_ignored() -> None:
    """Turning an opinion round because a quarter contradicted it is fitting noise."""
    line = _calibrated(slope=-1.0)
    assert line == Calibration.flat(BASE_RATE, centre=0.1)
    assert line.probability(np.array([-5.0, 0.0, 5.0])) == pytest.approx(BASE_RATE)


def test_without_evidence_the_line_is_the_prior() -> None:
    """A margin too flat to be judged must not be blown up by a slope fitted to noise."""
    line = _calibrated(slope=0.0, rows=40, spread=1e-4)
    assert line.slope == pytest.approx(PRIOR_SLOPE, abs=0.01)
    assert line.covariance[1][1] ** 0.5 == pytest.approx(SLOPE_DEVIATION, rel=0.01)
    assert line.standard_error(np.array([0.1]))[0] <= 1.01 * LEVEL_DEVIATION


def test_copies_of_a_row_within_its_session_add_no_certainty() -> None:
    """Forty shares that move together are not forty observations of the day."""
    once, often = _calibrated(slope=1.0), _calibrated(slope=1.0, copies=10)
    assert often.covariance[1][1] == pytest.approx(once.covariance[1][1], rel=0.1)


def test_the_standard_error_is_that_of_the_covariance() -> None:
    """Confidence is read from it."""
    line = Calibration(0.0, 1.0, ((0.04, 0.01), (0.01, 0.09)))
    assert line.standard_error(np.array([2.0]))[0] == pytest.approx((0.04 + 0.04 + 0.36) ** 0.5)
