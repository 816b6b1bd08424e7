"""The reviewed detector: what people decided of withheld bars, learnt.

A logistic regression on a bar's profile and on what the other detectors say of it. People are asked
of bars that stood out, so it knows those alone: its score is the chance of a fault among bars of
their kind, not among all. It is heard once there are enough verdicts, and if it can tell symbols it
has not learnt from.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.anomalies.profiles import (
    PROFILE_NAMES,
    PROFILE_REVISION,
    SIGNIFICANT_DIGITS,
)

REVIEWED_DETECTOR = f"reviewed {PROFILE_REVISION}.1"
"""Name of the fits in `detector_fits`."""
FEWEST_VERDICTS = 30
"""Three for each of ten coefficients: below, the coefficients follow single verdicts."""
FEWEST_OF_EACH = 5
"""Of each resolution, so that every part of the cross-validation can hold one."""
PARTS = 5
LEAST_AREA = 0.7
"""Area under the ROC curve on symbols it has not learnt from. Of 150 detectors that learnt from 30
verdicts by a coin, 5 % reached 0.7, and 24 % reached 0.6."""
PENALTY = 1.0
SEED = 1
_SCORES = ("isolation_score", "tail_score", "volume_z_score")
INPUTS = (*_SCORES, *PROFILE_NAMES)


@dataclass(frozen=True)
class ReviewedDetector:
    """A line through standardised inputs, and how it was found to do.

    Attributes:
        area: Area under the ROC curve over symbols left out; None where it could not be measured.
    """

    coefficients: tuple[float, ...]
    intercept: float
    means: tuple[float, ...]
    deviations: tuple[float, ...]
    area: float | None
    verdicts: int
    confirmed: int

    @property
    def is_heard(self) -> bool:
        """Whether it can tell faults of symbols it has not learnt from."""
        return self.area is not None and self.area >= LEAST_AREA

    @classmethod
    def from_bytes(cls, body: bytes) -> Self:
        """Return a detector out of what `to_bytes` gave."""
        values: dict[str, Any] = json.loads(body)
        whole: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in values.items()
        }
        return cls(**whole)

    def to_bytes(self) -> bytes:
        """Return the detector as JSON; equal detectors give equal bytes."""
        return json.dumps(asdict(self), sort_keys=True).encode()

    def chances(self, rows: pl.DataFrame) -> pl.Series:
        """Return the chance of a fault of each row; null where an input is missing."""
        inputs = _inputs(rows)
        standard = (inputs - np.array(self.means)) / np.array(self.deviations)
        log_odds = standard @ np.array(self.coefficients) + self.intercept
        chances = pl.Series(1.0 / (1.0 + np.exp(-np.clip(log_odds, -30, 30))))
        return chances.round_sig_figs(SIGNIFICANT_DIGITS).fill_nan(None)


def learn(reviewed: pl.DataFrame) -> ReviewedDetector | None:
    """Learn from reviewed bars; None while there are too few of them.

    Args:
        reviewed: INPUTS of bars, their symbol, and `is_fault`: confirmed rather than released. In a
            fixed order.
    """
    rows = _complete(reviewed)
    if missing_verdicts(rows) > 0:
        return None
    inputs = _inputs(rows)
    is_fault = rows["is_fault"].to_numpy()
    means, deviations = inputs.mean(axis=0), np.maximum(inputs.std(axis=0), 1e-6)
    standard = (inputs - means) / deviations
    line = _regression().fit(standard, is_fault)
    return ReviewedDetector(
        tuple(_rounded(line.coef_[0])),
        _rounded(line.intercept_)[0],
        tuple(_rounded(means)),
        tuple(_rounded(deviations)),
        _area(standard, is_fault, rows["symbol"].to_numpy()),
        len(rows),
        int(is_fault.sum()),
    )


def missing_verdicts(reviewed: pl.DataFrame) -> int:
    """Return how many verdicts are missing at least before anything can be learnt."""
    rows = _complete(reviewed)
    confirmed = int(rows["is_fault"].sum())
    released = rows.height - confirmed
    of_each = max(0, FEWEST_OF_EACH - confirmed) + max(0, FEWEST_OF_EACH - released)
    return max(0, FEWEST_VERDICTS - rows.height, of_each)


def _complete(reviewed: pl.DataFrame) -> pl.DataFrame:
    """Return the rows that can be learnt from."""
    return reviewed.drop_nulls([*INPUTS, "is_fault"])


def _inputs(rows: pl.DataFrame) -> NDArray[np.float64]:
    """Return what is learnt from; sizes in logarithms, so that one wild bar does not decide."""
    scores = [pl.col(name) for name in INPUTS[:2]]
    sizes = [pl.col(name).abs().log1p() for name in INPUTS[2:]]
    return rows.select(*scores, *sizes).cast(pl.Float64).fill_null(np.nan).to_numpy()


def _regression() -> Any:
    """Return the library's regression, unfitted."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=PENALTY, random_state=SEED, max_iter=1000)


def _area(
    standard: NDArray[np.float64], is_fault: NDArray[np.bool_], symbols: NDArray[np.object_]
) -> float | None:
    """Return the area under the ROC curve, each symbol judged by what others taught.

    Means and deviations of the inputs are those of all rows; they know no verdict.
    """
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import GroupKFold

    parts = min(PARTS, len(set(symbols)))
    if parts < 2:
        return None
    chances = np.full(len(is_fault), np.nan)
    for taught, left_out in GroupKFold(parts).split(standard, is_fault, symbols):
        if len(set(is_fault[taught])) == 2:
            line = _regression().fit(standard[taught], is_fault[taught])
            chances[left_out] = line.predict_proba(standard[left_out])[:, 1]
    is_judged = np.isfinite(chances)
    if len(set(is_fault[is_judged])) < 2:
        return None
    return _rounded(np.array([roc_auc_score(is_fault[is_judged], chances[is_judged])]))[0]


def _rounded(values: NDArray[np.float64]) -> list[float]:
    """Return values with as many digits as two machines agree on."""
    return [float(f"{value:.{SIGNIFICANT_DIGITS}g}") for value in values]
