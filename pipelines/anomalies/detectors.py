"""The panel's detectors: Isolation Forest, ECOD and the furthest value, and what is usual for them.

The first two know how rare a value is and not how far it lies beyond all they have seen: a price
with its comma in the wrong place would pass for an ordinary shock. The third knows nothing else.
They are fitted on bars of the past, and calibrated on later bars that the fit has not seen. What
one is made of is numbers alone, kept in `detector_fits` as a NumPy archive: reading it back runs no
code, whoever wrote it.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.anomalies.conformal import Calibration
from pipelines.anomalies.isolation_forest import IsolationForest, Matrix
from pipelines.anomalies.profiles import (
    MAD_TO_DEVIATION,
    PROFILE_NAMES,
    PROFILE_REVISION,
    SIGNIFICANT_DIGITS,
)
from pipelines.anomalies.tail_distribution import TailDistribution

DETECTORS_REVISION = 2
"""Raised when equal rows give another fit or other scores, or fits are for other periods."""

LEAST_MIDDLE = 1e-3
LEAST_SPREAD = 1e-9

PANEL_DETECTOR = f"isolation_forest+ecod+furthest {PROFILE_REVISION}.{DETECTORS_REVISION}"
"""Name of the fits in `detector_fits`; fits of other code have another."""


@dataclass(frozen=True, eq=False)
class PanelDetector:
    """The detectors with their scores' usual level and spread, and the calibration of all three.

    Attributes:
        scales: Robust deviation of each value of a profile on the fitted rows.
        usual: Mean and standard deviation of each score on the fitted rows: 2 × 3.
    """

    forest: IsolationForest
    tails: TailDistribution
    scales: NDArray[np.float64]
    usual: NDArray[np.float64]
    calibration: Calibration

    @classmethod
    def fitted(
        cls, rows: pl.DataFrame, calibration_rows: pl.DataFrame, *, applies_from: date
    ) -> Self:
        """Fit on some profiles and calibrate on others.

        Args:
            rows: Profiles to fit on.
            calibration_rows: Profiles of later sessions.
            applies_from: First session that the fit is for; it seeds the forest.
        """
        matrix = profile_matrix(rows)
        forest = IsolationForest.fitted(matrix, seed=applies_from.toordinal())
        tails = TailDistribution.fitted(matrix)
        middle = np.median(np.abs(matrix), axis=0).astype(np.float64)
        scales = MAD_TO_DEVIATION * np.maximum(middle, LEAST_MIDDLE)
        scores = np.stack([forest.scores(matrix), tails.scores(matrix), _furthest(matrix, scales)])
        usual = np.stack([scores.mean(axis=1), np.maximum(scores.std(axis=1), LEAST_SPREAD)])
        later = profile_matrix(calibration_rows)
        found = [forest.scores(later), tails.scores(later), _furthest(later, scales)]
        return cls(forest, tails, scales, usual, Calibration.of(_unusualness(found, usual)))

    @classmethod
    def from_bytes(cls, body: bytes) -> Self:
        """Return a detector out of what `to_bytes` gave."""
        with np.load(io.BytesIO(body), allow_pickle=False) as archive:
            arrays = dict(archive)
        return cls(
            IsolationForest.from_arrays(arrays),
            TailDistribution.from_arrays(arrays),
            arrays["scales"],
            arrays["usual"],
            Calibration(arrays["calibration"]),
        )

    def to_bytes(self) -> bytes:
        """Return the detector as an archive; equal detectors give equal bytes."""
        arrays: dict[str, Any] = {
            **self.forest.arrays(),
            **self.tails.arrays(),
            "scales": self.scales,
            "usual": self.usual,
            "calibration": self.calibration.scores,
        }
        archive = io.BytesIO()
        np.savez_compressed(archive, **arrays)
        return archive.getvalue()

    def judged(self, profiles: pl.DataFrame) -> pl.DataFrame:
        """Return profiles with isolation_score, tail_score and p_value; null without a profile.

        A row's figures depend on the row and the fit alone.
        """
        is_whole = profiles[PROFILE_NAMES[0]].is_not_null()
        matrix = profile_matrix(profiles.filter(is_whole))
        isolation, tail = self.forest.scores(matrix), self.tails.scores(matrix)
        scores = [isolation, tail, _furthest(matrix, self.scales)]
        p_values = self.calibration.p_values(_unusualness(scores, self.usual))
        found = {"isolation_score": isolation, "tail_score": tail, "p_value": p_values}
        return profiles.with_columns(
            _placed(values, is_whole).alias(name) for name, values in found.items()
        ).with_columns(pl.col(list(found)).round_sig_figs(SIGNIFICANT_DIGITS))


def unjudged(profiles: pl.DataFrame) -> pl.DataFrame:
    """Return profiles with empty scores: no fit is old enough."""
    nothing = pl.lit(None, dtype=pl.Float64)
    return profiles.with_columns(isolation_score=nothing, tail_score=nothing, p_value=nothing)


def profile_matrix(profiles: pl.DataFrame) -> Matrix:
    """Return profiles as rows × PROFILE_NAMES."""
    matrix = profiles.select(pl.col(PROFILE_NAMES).cast(pl.Float32)).to_numpy()
    return np.ascontiguousarray(matrix)


def _furthest(matrix: Matrix, scales: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the log of how far the furthest value of each row lies, in robust deviations."""
    return np.asarray(np.log1p(np.abs(matrix / scales)).max(axis=1))


def _unusualness(
    scores: Sequence[NDArray[np.float64]], usual: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Return how unusual all detectors together find each row.

    32 bits, as the calibration keeps it: tonight's scores are compared with numbers as coarse.
    """
    total = np.zeros(len(scores[0]))
    for score, level, spread in zip(scores, *usual, strict=True):
        total += (score - level) / spread
    return np.asarray(total, dtype=np.float32)


def _placed(values: NDArray[np.float64], is_whole: pl.Series) -> pl.Series:
    """Return values at the rows that have a profile, and null at the others."""
    placed = np.full(len(is_whole), np.nan)
    placed[is_whole.to_numpy()] = values
    return pl.Series(placed).fill_nan(None)
