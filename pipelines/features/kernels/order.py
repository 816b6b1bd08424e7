"""Quantiles, places and streaks over the last n rows."""

import numpy as np
from numba import njit

from pipelines.features.kernels.arrays import FloatArray, IntArray

CHUNK = 1024
"""Rows whose places are counted at a time, so that the counts stay in a core's nearest cache."""


LANES = 8
"""Sorted windows are padded to a multiple of this, what a processor compares at once."""


@njit(cache=True, nogil=True, error_model="numpy")
def _replace(kept: FloatArray, leaving: float, coming: float) -> None:
    """Put one value in the place of another, keeping all sorted, without a branch inside a loop.

    The first is -inf, the last +inf.
    """
    last = len(kept) - 2
    if coming >= leaving:
        for number in range(1, last + 1):
            own, above = kept[number], kept[number + 1]
            larger = max(coming, own)
            kept[number] = own if own < leaving else min(larger, above)
    else:
        for number in range(last, 0, -1):
            own, below = kept[number], kept[number - 1]
            smaller = min(coming, own)
            kept[number] = own if own > leaving else max(smaller, below)


@njit(cache=True, nogil=True, error_model="numpy")
def quantile(
    values: FloatArray, share: float, rows: int, starts: IntArray, out: FloatArray
) -> None:
    """Write the quantile of each window, between two values by their distance (type 7 of R).

    The window's values are kept sorted, what is missing as if it were infinite.
    """
    kept = np.empty(-(-rows // LANES) * LANES + 2)
    place = share * (rows - 1)
    below = int(np.floor(place))
    weight = place - below
    for symbol in range(len(starts) - 1):
        kept[:] = np.inf
        kept[0] = -np.inf
        missing = rows
        for row in range(starts[symbol], starts[symbol + 1]):
            coming = values[row]
            leaving = values[row - rows] if row - rows >= starts[symbol] else np.nan
            missing += int(np.isnan(coming)) - int(np.isnan(leaving))
            _replace(
                kept,
                np.inf if np.isnan(leaving) else leaving,
                np.inf if np.isnan(coming) else coming,
            )
            lower, upper = kept[below + 1], kept[min(below + 2, rows)]
            out[row] = lower + (upper - lower) * weight if missing == 0 else np.nan


@njit(cache=True, nogil=True, error_model="numpy")
def place(values: FloatArray, rows: int, _starts: IntArray, out: FloatArray) -> None:
    """Write the place of each row's value in its window, 1 / n the least to 1 the greatest.

    Without regard to rows that are missing, or not numbers.
    """
    half = 0.5 / rows
    for begin in range(0, len(values), CHUNK):
        own = values[begin : begin + CHUNK]
        made = out[begin : begin + CHUNK]
        made[:] = 1.0 / rows
        for lag in range(1, rows):
            skipped = max(lag - begin, 0)
            others = values[begin + skipped - lag : begin + len(own) - lag]
            later, counted = own[skipped:], made[skipped:]
            for row in range(len(later)):
                is_less = half if others[row] < later[row] else 0.0
                is_up_to = half if others[row] <= later[row] else 0.0
                counted[row] += is_less + is_up_to


@njit(cache=True, nogil=True, error_model="numpy")
def streak(values: FloatArray, rows: int, starts: IntArray, out: FloatArray) -> None:
    """Write how many rows in a row, up to `rows`, the value has not been zero."""
    for symbol in range(len(starts) - 1):
        length, unknown = 0, rows
        for row in range(starts[symbol], starts[symbol + 1]):
            is_known = not np.isnan(values[row])
            unknown = max(unknown - 1, 0) if is_known else rows
            length = length + 1 if is_known and values[row] != 0.0 else 0
            is_short = row - starts[symbol] < rows - 1
            out[row] = np.nan if unknown or is_short else min(length, rows)
