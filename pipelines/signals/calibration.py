"""From an ensemble's raw margin to a probability with a standard error.

logit P(up) = intercept + slope · (margin - centre), fitted on sessions the ensemble never saw: its
own calibrate slice, and before it the test blocks of the earlier models of the walk-forward, whose
margins were out of sample too and are centred by their own models. Half a year of five symbols
knows a slope to ±0.8, which is no calibration at all; models of one recipe share theirs. What the
rows of a session have in common counts as noise of the day, not as evidence about the line, which
is held near the base rate of all training rows and near PRIOR_SLOPE by a weak prior.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.validation.logistic import (
    FloatArray,
    LinePrior,
    LogisticLine,
    expit,
    fit_line,
    logit,
)
from pipelines.validation.session_correlation import SessionCorrelation

# Prior. Level: 0.05 in log-odds is 1.2 percentage points around the base rate. Slope: boosters
# stopped on a slice of noise overstate. 0.7 ± 0.3 gained most log loss out of sample of six priors
# tried on six simulated markets (20 symbols × 1,600 sessions, strength 0.13), by a tenth over 1 ± 1
# and by little over its neighbours. Since boosting ignores what a session has in common it is a
# compromise: on six panels of noise 1 ± 0.5 lost half as much again, on eight of a strong signal
# (an AUC of 0.55) it gained 3 % more. On the first six markets pooling with earlier test blocks
# gained 15 to 26 % over the calibrate slice alone.
LEVEL_DEVIATION = 0.05
PRIOR_SLOPE = 0.7
SLOPE_DEVIATION = 0.3


@dataclass(frozen=True)
class Calibration:
    """The line through the raw margin, and the covariance of (intercept, slope) as 2 × 2 rows.

    `centre` is the margin at which the line is expected to meet the base rate.
    """

    intercept: float
    slope: float
    covariance: tuple[tuple[float, float], tuple[float, float]]
    centre: float = 0.0

    @classmethod
    def flat(cls, base_rate: float, *, centre: float = 0.0) -> Self:
        """Return the calibration of an ensemble that found nothing: always the base rate."""
        covariance = ((LEVEL_DEVIATION**2, 0.0), (0.0, 0.0))
        return cls(float(logit(np.array(base_rate))), 0.0, covariance, centre)

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


@dataclass(frozen=True, eq=False)
class CalibrationEvidence:
    """What a calibration rests on: `rows` (session, is_up, centred_margin) that no model had seen.

    `centre` is the mean margin of the fit slice of the ensemble that is calibrated.
    """

    rows: pl.DataFrame
    centre: float

    def calibration(self, base_rate: float) -> Calibration:
        """Return the calibration of raw margins, given the share of up rows in training."""
        return calibrate(
            self.rows["centred_margin"].to_numpy() + self.centre,
            self.rows["is_up"].to_numpy(),
            self.rows["session"].to_numpy(),
            base_rate=base_rate,
            centre=self.centre,
        )


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
        session: session of each row; what the rows of one share is taken for noise of the day.
        base_rate: share of up rows in all training slices.
        centre: mean margin of the fit slice, where the line is expected to meet the base rate.
    """
    prior = LinePrior(
        mean=(float(logit(np.array(base_rate))), PRIOR_SLOPE),
        precision=(LEVEL_DEVIATION**-2, SLOPE_DEVIATION**-2),
    )
    sessions = SessionCorrelation.of(session).measured(np.asarray(is_up - base_rate))
    line = fit_line(margin - centre, is_up, prior=prior, sessions=sessions)
    if line is None or line.parameters[1] <= 0:
        return Calibration.flat(base_rate, centre=centre)
    # From the centred margin back to the raw one.
    uncentre = np.array([[1.0, -centre], [0.0, 1.0]])
    intercept, slope = uncentre @ line.parameters
    (level, cross), (_, spread) = uncentre @ _covariance(line, sessions, prior) @ uncentre.T
    return Calibration(
        float(intercept),
        float(slope),
        ((float(level), float(cross)), (float(cross), float(spread))),
        centre,
    )


def _covariance(line: LogisticLine, sessions: SessionCorrelation, prior: LinePrior) -> FloatArray:
    """Return the covariance of the line: sampling noise clustered by session, plus the prior's.

    Liang & Zeger's sandwich; the prior's precision stands in the middle too, so that without data
    the covariance is the prior's own.
    """
    precision = np.diag(prior.precision)
    parts = (np.bincount(sessions.session, weights=part) for part in line.gradients.T)
    scores = np.column_stack(list(parts))
    bread = np.linalg.inv(line.information.sum(axis=0) + precision)
    return np.asarray(bread @ (scores.T @ scores + precision) @ bread)
