"""From a booster's raw margin to a probability with a standard error.

logit P(up) = intercept + slope · margin, fitted on sessions the booster never saw. A quarter or
two of sessions says little about the level of the market, so the line is held near the base rate
of all training rows and near the booster's own scale by a weak prior.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pipelines.validation.logistic import (
    FloatArray,
    LinePrior,
    LogisticLine,
    expit,
    fit_line,
    logit,
)

# Prior standard deviations. Level: 0.05 in log-odds is 1.2 percentage points around the base
# rate. Slope: 1 ± 1, so a margin too flat to be judged is taken as it is, not magnified.
LEVEL_DEVIATION = 0.05
SLOPE_DEVIATION = 1.0


@dataclass(frozen=True)
class Calibration:
    """The line, and the covariance of (intercept, slope) as rows of a 2 × 2 matrix."""

    intercept: float
    slope: float
    covariance: tuple[tuple[float, float], tuple[float, float]]

    @classmethod
    def flat(cls, base_rate: float) -> Self:
        """Return the calibration of a booster that found nothing: always the base rate."""
        variance = LEVEL_DEVIATION**2
        return cls(float(logit(np.array(base_rate))), 0.0, ((variance, 0.0), (0.0, 0.0)))

    def log_odds(self, margin: FloatArray) -> FloatArray:
        """Return the calibrated log-odds of each margin."""
        return self.intercept + self.slope * margin

    def probability(self, margin: FloatArray) -> FloatArray:
        """Return the calibrated probability of each margin."""
        return expit(self.log_odds(margin))

    def standard_error(self, margin: FloatArray) -> FloatArray:
        """Return the standard error of the calibrated log-odds at each margin."""
        design = np.column_stack([np.ones_like(margin), margin])
        variance = np.einsum("ri,ij,rj->r", design, np.array(self.covariance), design)
        return np.asarray(np.sqrt(np.maximum(variance, 0.0)))


def calibrate(
    margin: FloatArray,
    is_up: NDArray[np.bool_],
    session: NDArray[np.generic],
    *,
    base_rate: float,
    centre: float,
) -> Calibration:
    """Return the calibration of `margin`, flat where larger margins did not rise more often.

    Args:
        margin: raw log-odds of the calibrate slice, one a row.
        is_up: outcome of each row.
        session: session of each row; rows of one session count as one observation of the day.
        base_rate: share of up rows in all training slices.
        centre: mean margin of the fit slice, where the line is expected to meet the base rate.
    """
    prior = LinePrior(
        mean=(float(logit(np.array(base_rate))), 1.0),
        precision=(LEVEL_DEVIATION**-2, SLOPE_DEVIATION**-2),
    )
    line = fit_line(margin - centre, is_up, prior=prior)
    if line is None or line.parameters[1] <= 0:
        return Calibration.flat(base_rate)
    # From the centred margin back to the raw one.
    uncentre = np.array([[1.0, -centre], [0.0, 1.0]])
    intercept, slope = uncentre @ line.parameters
    (level, cross), (_, spread) = uncentre @ _covariance(line, session, prior) @ uncentre.T
    return Calibration(
        float(intercept),
        float(slope),
        ((float(level), float(cross)), (float(cross), float(spread))),
    )


def _covariance(line: LogisticLine, session: NDArray[np.generic], prior: LinePrior) -> FloatArray:
    """Return the covariance of the line: sampling noise clustered by session, plus the prior's.

    Liang & Zeger's sandwich; the prior's precision stands in the middle too, so that without data
    the covariance is the prior's own.
    """
    precision = np.diag(prior.precision)
    ordinal = np.unique(session, return_inverse=True)[1]
    scores = np.column_stack([np.bincount(ordinal, weights=part) for part in line.gradients.T])
    bread = np.linalg.inv(line.information.sum(axis=0) + precision)
    return np.asarray(bread @ (scores.T @ scores + precision) @ bread)
