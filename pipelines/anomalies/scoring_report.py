"""What judging bars did, counted block by block."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl

P_VALUE_BINS = 20


@dataclass(frozen=True)
class ScoringReport:
    """What judging did.

    Attributes:
        bars: Bars that were judged anew.
        with_p_value: Those of them that a fit was old enough for.
        alerts: Alerts among them.
        forecasts: Suspects that Prophet was asked about.
        suspects_left_out: Suspects beyond the most forecasts of a night.
        p_value_counts: Bars by p-value, in P_VALUE_BINS bins from 0 to 1.
    """

    bars: int = 0
    with_p_value: int = 0
    alerts: int = 0
    forecasts: int = 0
    suspects_left_out: int = 0
    p_value_counts: tuple[int, ...] = (0,) * P_VALUE_BINS

    @classmethod
    def of(cls, rows: pl.DataFrame, *, forecasts: int, suspects_left_out: int) -> Self:
        """Count scored rows."""
        p_values = rows["p_value"].drop_nulls()
        counts, _ = np.histogram(p_values.to_numpy(), bins=P_VALUE_BINS, range=(0.0, 1.0))
        return cls(
            rows.height,
            len(p_values),
            int(rows["is_alert"].sum()),
            forecasts,
            suspects_left_out,
            tuple(int(count) for count in counts),
        )

    def __add__(self, other: Self) -> Self:
        """Count both."""
        pairs = zip(self.p_value_counts, other.p_value_counts, strict=True)
        return type(self)(
            self.bars + other.bars,
            self.with_p_value + other.with_p_value,
            self.alerts + other.alerts,
            self.forecasts + other.forecasts,
            self.suspects_left_out + other.suspects_left_out,
            tuple(one + another for one, another in pairs),
        )
