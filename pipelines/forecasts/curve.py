"""A portfolio's value session by session: what forecasts are made from, if it is fit for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from pipelines.forecasts.quantiles import FloatArray

FEWEST_SESSIONS = 252
"""A year: of less, neither a tail of 1 % nor a change of volatility can be told."""


SHORT_HISTORY, CONSTANT_SERIES = "short_history", "constant_series"
GAP, NOT_POSITIVE = "gap_in_curve", "value_not_positive"


class UnfitCurveError(ValueError):
    """A curve can't be forecast; `reason` is a code, the message says what is wrong with it."""

    def __init__(self, reason: str, message: str) -> None:
        """Keep the code beside the sentence."""
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, eq=False)
class EquityCurve:
    """Values of one portfolio at sessions in order."""

    sessions: Sequence[date]
    values: FloatArray

    def __len__(self) -> int:
        """Return the number of sessions."""
        return len(self.values)

    @property
    def log_values(self) -> FloatArray:
        """Logarithms of the values."""
        return np.asarray(np.log(self.values))

    def through(self, session: date) -> "EquityCurve":
        """Return the curve as it was known at the end of a session."""
        count = sum(day <= session for day in self.sessions)
        return EquityCurve(self.sessions[:count], self.values[:count])


def require_forecastable(curve: EquityCurve) -> None:
    """Refuse a curve from which no honest forecast can be made.

    Raises:
        UnfitCurveError: with a code and a sentence.
    """
    require_positive(curve.sessions, curve.values)
    if len(curve) < FEWEST_SESSIONS:
        message = (
            f"the curve has {len(curve)} sessions, {FEWEST_SESSIONS} are needed: wait, or give the "
            "portfolio an earlier start"
        )
        raise UnfitCurveError(SHORT_HISTORY, message)
    recent = np.diff(np.log(curve.values[-FEWEST_SESSIONS:]))
    if np.mean(recent == 0) > 0.5:
        message = (
            f"the value did not move in {int((recent == 0).sum())} of its last {len(recent)} "
            "sessions: a constant has no distribution; look at its positions"
        )
        raise UnfitCurveError(CONSTANT_SERIES, message)


def require_positive(sessions: Sequence[date], values: FloatArray) -> None:
    """Refuse gaps, zeros and negative values.

    Raises:
        UnfitCurveError: naming the first of them.
    """
    unusable = np.flatnonzero(~(np.isfinite(values) & (values > 0)))
    if unusable.size:
        first = unusable[0]
        at = sessions[first] if first < len(sessions) else f"place {first + 1}"
        message = (
            f"{unusable.size} of {len(values)} values are no positive numbers, the first is "
            f"{values[first]} at {at}: correct the curve where it comes from"
        )
        reason = GAP if np.isnan(values[first]) else NOT_POSITIVE
        raise UnfitCurveError(reason, message)
