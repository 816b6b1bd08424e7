"""How the values of features are spread: figures and histograms, for people and the registry.

Sums run in the order of the rows that are handed in, so that the same rows give the same figures.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.pictures import new_figure, png_of

BINS = 20
SESSIONS_DESCRIBED = 252
"""A year: a registry tells what values are like now."""
SYMBOLS_DESCRIBED = 500
"""A hundred thousand values tell a spread: a larger market is told by some of its symbols."""
TAILS = (0.01, 0.99)
"""Outer bins begin here: a single wild value would else leave all others in one bin."""


@dataclass(frozen=True)
class Bin:
    """One bar of a histogram; the outermost reach to the extremes."""

    lower: float
    upper: float
    count: int
    share: float


@dataclass(frozen=True)
class Distribution:
    """How the values of one feature are spread; figures are None where it has no value."""

    rows: int
    missing_share: float
    mean: float | None = None
    median: float | None = None
    std: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    bins: tuple[Bin, ...] = ()


def recent_values_query(names: Sequence[str], *, table: str) -> str:
    """Return SQL for the features of a table over its last sessions, in a fixed order.

    Of more than `SYMBOLS_DESCRIBED` symbols, those that come first by the MD5 of their names: the
    same every night, and of every part of the market.
    """
    return f"""
        SELECT {", ".join(names)} FROM {table}
        WHERE session >= (
            SELECT min(session) FROM (
                SELECT DISTINCT session FROM {table}
                ORDER BY session DESC LIMIT {SESSIONS_DESCRIBED}))
        AND symbol IN (
            SELECT symbol FROM (SELECT DISTINCT symbol FROM {table})
            ORDER BY md5(symbol) LIMIT {SYMBOLS_DESCRIBED})
        ORDER BY symbol, session"""


def distributions(values: pl.DataFrame) -> dict[str, Distribution]:
    """Return how each column is spread, nulls told apart."""
    return {column.name: _distribution(column) for column in values}


def distribution_plot(title: str, spread: Mapping[str, Distribution]) -> bytes:
    """Return one picture of many histograms: a strip a feature, darker where more values lie."""
    shares = np.zeros((len(spread), BINS))
    for row, one in enumerate(spread.values()):
        shares[row, : len(one.bins)] = [part.share for part in one.bins]
    figure, axes = new_figure(title, "from the 1st to the 99th percentile", "")
    axes.imshow(shares, aspect="auto", cmap="Blues", interpolation="nearest")
    axes.set_yticks(range(len(spread)), list(spread), fontsize=6)
    axes.set_xticks([])
    return png_of(figure)


def _distribution(column: pl.Series) -> Distribution:
    """Describe one column."""
    values = column.drop_nulls().cast(pl.Float64).to_numpy()
    missing = 1 - len(values) / len(column) if len(column) else 0.0
    if not len(values):
        return Distribution(len(column), missing)
    low, median, high = np.quantile(values, [TAILS[0], 0.5, TAILS[1]])
    return Distribution(
        rows=len(column),
        missing_share=missing,
        mean=float(values.mean()),
        median=float(median),
        std=float(values.std(ddof=1)) if len(values) > 1 else None,
        minimum=float(values.min()),
        maximum=float(values.max()),
        bins=_bins(values, float(low), float(high)),
    )


def _bins(values: NDArray[np.float64], low: float, high: float) -> tuple[Bin, ...]:
    """Return the histogram; one bin where all values are the same."""
    if not low < high:
        return (Bin(float(values.min()), float(values.max()), len(values), 1.0),)
    edges = np.linspace(low, high, BINS + 1)
    counts, _ = np.histogram(np.clip(values, low, high), edges)
    edges[0], edges[-1] = values.min(), values.max()
    return tuple(
        Bin(float(edges[i]), float(edges[i + 1]), int(counts[i]), float(counts[i] / len(values)))
        for i in range(BINS)
    )
