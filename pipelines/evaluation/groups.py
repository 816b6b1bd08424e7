"""Results by sector, size and liquidity: whether some symbols are served worse than others.

Size and liquidity are thirds of a session's symbols, by what was known at its close: the mean
dollar volume of a quarter, which stands for size since nobody recorded the shares outstanding of
that time, and Amihud's illiquidity. The sector is what the vendor says now; it groups, and no model
reads it. Each group is held against all others on the same resampled sessions, and intervals hold
for all groups at once (Bonferroni), or one group in twenty would be worse by luck.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.validation.logistic import FloatArray
from pipelines.validation.session_bootstrap import (
    LEVEL,
    Estimate,
    SessionResamples,
    area_under_curve,
    estimate,
)

ATTRIBUTES = ("sector", "size", "liquidity")
UNKNOWN = "unknown"
FEWEST_ROWS = 100
"""Signals of a group that a figure needs, and of all others."""

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class GroupResult:
    """A group of symbols, and how it stands to the rest.

    Attributes:
        attribute: One of ATTRIBUTES.
        group: Its value.
        rows: Signals of the group.
        symbols: Symbols that were ever in it.
        share_up: Share of its signals that rose; None with too few rows.
        called_up: Share of its signals that were called a rise, likewise.
        accuracy: Share of right calls, likewise.
        auc: AUC of the probabilities, likewise.
        gap: Its accuracy less that of all others, with an interval that holds for all groups at
            once; None where there are too few others.
    """

    attribute: str
    group: str
    rows: int
    symbols: int
    share_up: Estimate | None
    called_up: Estimate | None
    accuracy: Estimate | None
    auc: Estimate | None
    gap: Estimate | None

    @property
    def name(self) -> str:
        """Return attribute and value in one."""
        return f"{self.attribute}={self.group}"


def with_groups(rows: pl.DataFrame) -> pl.DataFrame:
    """Return replayed rows with the group of each attribute in place of what it is made of."""
    return rows.with_columns(
        sector=pl.col("sector").fill_null(UNKNOWN).str.to_lowercase().str.replace_all(r"\W+", "_"),
        size=_third("dollar_volume", ("small", "medium", "large")),
        liquidity=_third("illiquidity", ("liquid", "medium", "illiquid")),
    )


def measure_groups(rows: pl.DataFrame, drawn: SessionResamples) -> tuple[GroupResult, ...]:
    """Return the result of every group of replayed rows.

    Args:
        rows: Replayed rows with the columns of `contenders.context`.
        drawn: Their sessions and resamples of these.
    """
    grouped = with_groups(rows)
    members = list(_members(grouped))
    error = _simultaneous_error(len(members))
    return tuple(
        _result(name, group, grouped, inside, drawn, error=error) for name, group, inside in members
    )


def _third(column: str, names: tuple[str, str, str]) -> pl.Expr:
    """Return which third of its session a row is in, the smallest first."""
    place = (pl.col(column).rank("ordinal") - 1) * 3 // pl.col(column).count()
    number = place.over("session").cast(pl.Int32)
    return number.replace_strict(dict(enumerate(names)), default=UNKNOWN, return_dtype=pl.String)


def _members(grouped: pl.DataFrame) -> Iterator[tuple[str, str, BoolArray]]:
    """Yield attribute, value and the rows of every group."""
    for attribute in ATTRIBUTES:
        for group in grouped[attribute].unique().sort():
            yield attribute, group, (grouped[attribute] == group).to_numpy()


def _simultaneous_error(groups: int) -> float:
    """Return the standard errors of an interval that holds for so many groups at once."""
    from scipy.stats import norm

    return float(norm.ppf(1 - (1 - LEVEL) / 2 / groups))


def _result(
    attribute: str,
    group: str,
    rows: pl.DataFrame,
    inside: BoolArray,
    drawn: SessionResamples,
    *,
    error: float,
) -> GroupResult:
    """Return the result of one group."""
    probability, is_up = rows["probability"].to_numpy(), rows["is_up"].to_numpy()
    called_up = probability > rows["base_rate"].to_numpy()
    right = (called_up == is_up) * 1.0
    size = int(inside.sum())
    is_enough, has_rest = size >= FEWEST_ROWS, len(inside) - size >= FEWEST_ROWS
    own = _mean(right, inside, drawn)
    return GroupResult(
        attribute,
        group,
        rows=size,
        symbols=rows.filter(pl.Series(inside))["symbol"].n_unique(),
        share_up=estimate(_mean(is_up.astype(np.float64), inside, drawn)) if is_enough else None,
        called_up=estimate(_mean(called_up.astype(np.float64), inside, drawn))
        if is_enough
        else None,
        accuracy=estimate(own) if is_enough else None,
        auc=_area(probability, is_up, inside, drawn) if is_enough else None,
        gap=_gap(own - _mean(right, ~inside, drawn), error) if is_enough and has_rest else None,
    )


def _mean(values: FloatArray, inside: BoolArray, drawn: SessionResamples) -> FloatArray:
    """Return the mean of some rows in each resample."""
    rows = drawn.totals(inside.astype(np.float64))[:, 0]
    mean = np.full(len(rows), np.nan)
    np.divide(drawn.totals(values * inside)[:, 0], rows, out=mean, where=rows > 0)
    return mean


def _area(
    probability: FloatArray, is_up: BoolArray, inside: BoolArray, drawn: SessionResamples
) -> Estimate | None:
    """Return the AUC of some rows."""
    own = SessionResamples(drawn.counts, drawn.session[inside])
    return estimate(area_under_curve(probability[inside], is_up[inside], own))


def _gap(draws: FloatArray, error: float) -> Estimate | None:
    """Return a gap with so many standard errors on both sides."""
    known = draws[np.isfinite(draws)]
    if not np.isfinite(draws[0]) or len(known) < LEVEL * len(draws):
        return None
    width = error * float(known[1:].std(ddof=1))
    return Estimate(float(draws[0]), float(draws[0] - width), float(draws[0] + width))
