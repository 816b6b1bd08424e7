"""Logistic line through a margin: logit P(up) = intercept + slope · margin."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.validation.session_correlation import SessionCorrelation

FloatArray = NDArray[np.float64]

NEWTON_STEPS = 50
CONVERGED = 1e-10
# Below this spread (log-odds) a margin says the same of every row and has no slope.
FLAT_SPREAD = 1e-9


@dataclass(frozen=True)
class LinePrior:
    """Gaussian belief about (intercept, slope), independent; precision 0 is no belief."""

    mean: tuple[float, float] = (0.0, 0.0)
    precision: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class LogisticLine:
    """A fitted line (intercept, slope) with what each row adds to score and information.

    `gradients` is rows × 2, `information` rows × 2 × 2, both without the prior.
    """

    parameters: FloatArray
    gradients: FloatArray
    information: FloatArray


def expit(log_odds: FloatArray) -> FloatArray:
    """Return the probability of each log-odds value."""
    return np.asarray(1.0 / (1.0 + np.exp(-log_odds)))


def logit(probability: FloatArray) -> FloatArray:
    """Return the log-odds of each probability, which must lie strictly between 0 and 1."""
    return np.asarray(np.log(probability) - np.log1p(-probability))


def fit_line(
    margin: FloatArray,
    is_up: NDArray[np.bool_] | FloatArray,
    *,
    prior: LinePrior | None = None,
    sessions: SessionCorrelation | None = None,
) -> LogisticLine | None:
    """Return the most probable line by Newton's method, or None where there is none.

    There is none without a prior when all outcomes agree, the margin is flat, or it separates
    the outcomes. A row may have risen in part, by the chance that it had of it. With `sessions` it
    solves the generalised estimating equation of rows that correlate (Liang & Zeger 1986): the
    same line, known better from the same rows.
    """
    belief = prior or LinePrior()
    mean, precision = np.array(belief.mean), np.diag(belief.precision)
    if prior is None and (np.ptp(margin) < FLAT_SPREAD or is_up.min() == is_up.max()):
        return None
    parameters = mean.copy()
    for _ in range(NEWTON_STEPS):
        line = _line_at(parameters, margin, is_up, sessions)
        gradient = line.gradients.sum(axis=0) - precision @ (parameters - mean)
        try:
            step = np.linalg.solve(line.information.sum(axis=0) + precision, gradient)
        except np.linalg.LinAlgError:
            return None
        if np.abs(step).max() < CONVERGED:
            return line
        parameters = parameters + step
    return None


def _line_at(
    parameters: FloatArray,
    margin: FloatArray,
    is_up: NDArray[np.bool_] | FloatArray,
    sessions: SessionCorrelation | None,
) -> LogisticLine:
    design = np.column_stack([np.ones_like(margin), margin])
    probability = expit(np.clip(design @ parameters, -500, 500))
    spread = probability * (1.0 - probability)
    residual, own_design = is_up - probability, spread[:, None] * design
    if sessions is not None:
        deviation = np.sqrt(spread)
        residual = deviation * sessions.own_part(residual / deviation)
        columns = (sessions.own_part(deviation * column) for column in design.T)
        own_design = deviation[:, None] * np.column_stack(list(columns))
    return LogisticLine(
        parameters=parameters,
        gradients=design * residual[:, None],
        information=design[:, :, None] * own_design[:, None, :],
    )
