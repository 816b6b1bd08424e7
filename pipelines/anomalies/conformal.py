"""Conformal p-values: how many bars that were no part of the fit were at least as unusual.

If tonight's bar is exchangeable with the calibration bars, the chance of a p-value of u or less is
at most u, whatever the detector (Vovk et al. 2005; Bates et al. 2023). "Usual" means like the bars
of the calibration, their own faults and shocks included: a small p-value says rare, not wrong.
Bars of one session share its news. What they share in level and spread is taken out by the
profiles; what is left makes alerts of one night come together more often than chance would.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Calibration:
    """Scores of calibration bars, sorted."""

    scores: Scores

    @classmethod
    def of(cls, scores: Scores) -> "Calibration":
        """Sort the scores of calibration bars.

        Raises:
            ValueError: there are none, or one is no number.
        """
        if not len(scores) or not np.isfinite(scores).all():
            message = (
                f"{len(scores)} calibration scores, {int(np.isfinite(scores).sum())} of them "
                "numbers: a p-value needs at least one, and all of them numbers"
            )
            raise ValueError(message)
        return cls(np.sort(scores))

    def p_values(self, scores: Scores) -> NDArray[np.float64]:
        """Return (1 + calibration bars at least as unusual) / (1 + calibration bars)."""
        count = len(self.scores)
        as_unusual = count - np.searchsorted(self.scores, scores, side="left")
        return np.asarray((1.0 + as_unusual) / (1.0 + count))
