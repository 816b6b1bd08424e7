"""Bootstrap by session: whole sessions are drawn with replacement.

Rows of one session share the day's news, so single rows are not independent. A resample is a
count per session, and a statistic of sums is one matrix product of counts and session sums.
Row 0 of `counts` is the sample itself, so value and interval come from the same formula.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.validation.logistic import FloatArray

LEVEL = 0.95
# Resamples in which a statistic is undefined are left out; beyond this share it is undefined.
UNDEFINED_SHARE = 0.05
# Bounds memory and time of the ranking statistic: 3,000 sessions × 512 × 8 bytes is 12 MB.
SCORE_BINS = 512


@dataclass(frozen=True)
class Estimate:
    """A measured value with its 95 % interval; the value always lies in it."""

    value: float
    lower: float
    upper: float

    def __str__(self) -> str:
        """Return `0.531 [0.514, 0.548]`."""
        return f"{self.value:.3f} [{self.lower:.3f}, {self.upper:.3f}]"


@dataclass(frozen=True)
class SessionResamples:
    """The sample and its resamples: `counts` of each session, `session` ordinal of each row."""

    counts: FloatArray
    session: NDArray[np.intp]

    def totals(self, values: FloatArray) -> FloatArray:
        """Return the sum of `values` (rows or rows × k) in each resample (resamples × k)."""
        columns = values.reshape(len(values), -1)
        sums = np.column_stack(
            [
                np.bincount(self.session, weights=column, minlength=self.counts.shape[1])
                for column in columns.T
            ]
        )
        return np.asarray(self.counts @ sums)

    def mean(self, values: FloatArray) -> FloatArray:
        """Return the mean of `values` over the rows of each resample."""
        return self.totals(values)[:, 0] / self.totals(np.ones(len(values)))[:, 0]


def resample_sessions(
    session: NDArray[np.generic], *, resamples: int, rng: np.random.Generator
) -> SessionResamples:
    """Return `resamples` draws of the distinct values of `session` (one value a row)."""
    distinct, ordinal = np.unique(session, return_inverse=True)
    number = len(distinct)
    counts = np.ones((1 + resamples, number))
    # Row by row in the cache: four times as fast as multinomial draws of the same law.
    for row in counts[1:]:
        row[:] = np.bincount(rng.integers(number, size=number), minlength=number)
    return SessionResamples(counts=counts, session=ordinal)


def area_under_curve(
    score: FloatArray, is_up: NDArray[np.bool_], resamples: SessionResamples
) -> FloatArray:
    """Return the AUC of `score` in each resample: P(score of an up row > score of a down row).

    Ties count half. NaN in a resample where all outcomes agree. The sample's own value is exact;
    where there are more than SCORE_BINS distinct scores, the resamples differ from it by what they
    differ with scores in bins, which for a million rows takes a second in place of minutes.
    """
    distinct, position = np.unique(score, return_inverse=True)
    sides = is_up, ~is_up
    by_score = (np.bincount(position[side], minlength=len(distinct)) for side in sides)
    exact = _area(*(rows.astype(np.float64) for rows in by_score))
    in_bin = position * SCORE_BINS // len(distinct) if len(distinct) > SCORE_BINS else position
    shape = resamples.counts.shape[1], int(in_bin.max()) + 1
    cell = resamples.session * shape[1] + in_bin
    ups, downs = (
        resamples.counts @ np.bincount(cell[side], minlength=shape[0] * shape[1]).reshape(shape)
        for side in sides
    )
    area = _area(ups, downs)
    return np.asarray(area + (exact - area[0]))


def _area(ups: FloatArray, downs: FloatArray) -> FloatArray:
    """Return the AUC from the weight of up and of down rows at each score, in ascending order."""
    below = np.cumsum(downs, axis=-1) - downs / 2
    pairs = np.asarray(ups.sum(axis=-1) * downs.sum(axis=-1), dtype=np.float64)
    area = np.full(pairs.shape, np.nan)
    np.divide((ups * below).sum(axis=-1), pairs, out=area, where=pairs > 0)
    return area


def estimate(statistic: FloatArray) -> Estimate | None:
    """Return the estimate of a statistic (sample first, then resamples); None if undefined."""
    value, draws = statistic[0], statistic[1:]
    defined = draws[np.isfinite(draws)]
    if not np.isfinite(value) or len(defined) < (1.0 - UNDEFINED_SHARE) * len(draws):
        return None
    lower, upper = np.quantile(defined, [(1.0 - LEVEL) / 2, (1.0 + LEVEL) / 2])
    # A statistic biased in small samples (calibration error) can leave its percentile interval.
    return Estimate(float(value), float(min(lower, value)), float(max(upper, value)))
