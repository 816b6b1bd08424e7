"""PyOD's ECOD as plain arrays, one row judged as if it alone stood beside the fitted ones.

The library ranks new rows among each other too: a bar's score would depend on which other bars were
judged in the same call, and neither a rerun nor a conformal p-value could be had. Here each row's
empirical tails are those of the fitted rows and itself, which is what the library gives for a
single new row.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class TailDistribution:
    """The fitted rows, column by column.

    Attributes:
        values: Sorted values of each column: columns × rows.
        skews: Sign of each column's skewness, which says in which tail a fault would lie.
    """

    values: Matrix
    skews: NDArray[np.int8]

    @classmethod
    def fitted(cls, rows: Matrix) -> Self:
        """Fit by PyOD."""
        from pyod.models.ecod import (  # type: ignore[import-untyped]
            ECOD,
            skew,
        )

        library = ECOD(n_jobs=1).fit(rows.astype(np.float64))
        values = np.sort(library.X_train, axis=0).T.astype(np.float32)
        return cls(np.ascontiguousarray(values), np.sign(skew(library.X_train)).astype(np.int8))

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Return a distribution out of what `arrays` gave."""
        return cls(arrays["tail_values"], arrays["tail_skews"])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all that the distribution is."""
        return {"tail_values": self.values, "tail_skews": self.skews}

    def scores(self, rows: Matrix) -> NDArray[np.float64]:
        """Return how far in the tails each row lies: 0 usual, 1 further out than all in all.

        The sum over columns of −log tail probability (Li et al. 2022), over the most it can be.
        """
        count = self.values.shape[1] + 1
        total = np.zeros(len(rows))
        for column, fitted, skew in zip(rows.T, self.values, self.skews, strict=True):
            at_most = np.searchsorted(fitted, column, side="right") + 1
            at_least = count - np.searchsorted(fitted, column, side="left")
            left, right = -np.log(at_most / count), -np.log(at_least / count)
            skewed = left * (skew <= 0) + right * (skew >= 0)
            total += np.maximum(np.maximum(left, right), skewed)
        return np.asarray(np.clip(total / (len(self.skews) * np.log(count)), 0.0, 1.0))
