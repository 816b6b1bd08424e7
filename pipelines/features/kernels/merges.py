"""What two neighbouring runs of rows say together: every rolling value is made by such merges.

A run of n rows that ends at a row is made of the run of its newer part, which ends at the same
row, and of that of its older part, which ends `lag` rows earlier. Each function merges one kind of
value for all rows at once, so that the processor does eight rows at a time. The symbols of a batch
lie behind one another: a symbol's first n - 1 rows, where a run would reach into the symbol before,
are NaN, and so is what is not finite.
"""

import numpy as np
from numba import njit

from pipelines.features.kernels.arrays import FloatArray, IntArray


@njit(cache=True, nogil=True, error_model="numpy")
def _opened(out: FloatArray, starts: IntArray, rows: int) -> None:
    """Make the rows NaN on which a symbol does not have so many rows yet."""
    for symbol in range(len(starts) - 1):
        out[starts[symbol] : min(starts[symbol] + rows - 1, starts[symbol + 1])] = np.nan


@njit(cache=True, nogil=True, error_model="numpy")
def row_numbers(_starts: IntArray, out: FloatArray) -> None:
    """Write 0, 1, 2 … for the rows of the batch."""
    for row in range(len(out)):
        out[row] = row


@njit(cache=True, nogil=True, error_model="numpy")
def delayed(values: FloatArray, lag: int, starts: IntArray, out: FloatArray) -> None:
    """Write the value of `lag` rows ago."""
    out[lag:] = values[: max(len(values) - lag, 0)]
    _opened(out, starts, lag + 1)


@njit(cache=True, nogil=True, error_model="numpy")
def added(
    newer: FloatArray, older: FloatArray, lag: int, rows: int, starts: IntArray, out: FloatArray
) -> None:
    """Write the sum over `rows` rows."""
    ahead, made = newer[lag:], out[lag:]
    for row in range(len(made)):
        value = ahead[row] + older[row]
        made[row] = value if np.isfinite(value) else np.nan
    _opened(out, starts, rows)


@njit(cache=True, nogil=True, error_model="numpy")
def weighted(
    newer: FloatArray,
    older: FloatArray,
    lag: int,
    rows: int,
    weight: float,
    starts: IntArray,
    out: FloatArray,
) -> None:
    """Write the sum over `rows` rows, that of the older part by a weight."""
    ahead, made = newer[lag:], out[lag:]
    for row in range(len(made)):
        value = ahead[row] + weight * older[row]
        made[row] = value if np.isfinite(value) else np.nan
    _opened(out, starts, rows)


@njit(cache=True, nogil=True, error_model="numpy")
def gaps(
    newer: FloatArray, older: FloatArray, lag: int, rows: int, starts: IntArray, out: FloatArray
) -> None:
    """Write the mean of the newer part less that of the older one, from their sums."""
    newer_share, older_share = 1.0 / lag, 1.0 / (rows - lag)
    ahead, made = newer[lag:], out[lag:]
    for row in range(len(made)):
        made[row] = ahead[row] * newer_share - older[row] * older_share
    _opened(out, starts, rows)


@njit(cache=True, nogil=True, error_model="numpy")
def products(
    newer: FloatArray,
    older: FloatArray,
    left_gap: FloatArray,
    right_gap: FloatArray,
    lag: int,
    rows: int,
    starts: IntArray,
    out: FloatArray,
) -> None:
    """Write the sum of (left - its mean) × (right - its mean), merged by the gaps of the means.

    Nothing cancels: equal values give exactly 0 (Chan, Golub and LeVeque 1983).
    """
    weight = lag * (rows - lag) / rows
    ahead, left, right, made = newer[lag:], left_gap[lag:], right_gap[lag:], out[lag:]
    for row in range(len(made)):
        value = ahead[row] + older[row] + left[row] * right[row] * weight
        made[row] = value if np.isfinite(value) else np.nan
    _opened(out, starts, rows)


@njit(cache=True, nogil=True, error_model="numpy")
def trends(
    newer: FloatArray,
    older: FloatArray,
    gap: FloatArray,
    lag: int,
    rows: int,
    starts: IntArray,
    out: FloatArray,
) -> None:
    """Write the sum of (value - mean) × (row number - its mean), merged by the gap of the means."""
    # The parts' mean row numbers lie half the rows apart.
    weight = lag * (rows - lag) / 2.0
    ahead, gap_here, made = newer[lag:], gap[lag:], out[lag:]
    for row in range(len(made)):
        value = ahead[row] + older[row] + gap_here[row] * weight
        made[row] = value if np.isfinite(value) else np.nan
    _opened(out, starts, rows)


@njit(cache=True, nogil=True, error_model="numpy")
def greatest(
    newer: FloatArray, older: FloatArray, lag: int, rows: int, starts: IntArray, out: FloatArray
) -> None:
    """Write the greatest value of `rows` rows; the parts may overlap."""
    ahead, made = newer[lag:], out[lag:]
    for row in range(len(made)):
        value = ahead[row]
        # What is not a number must win, on either side.
        made[row] = value if value > older[row] or value != value else older[row]
    _opened(out, starts, rows)


@njit(cache=True, nogil=True, error_model="numpy")
def newest_of_greatest(
    newer: FloatArray,
    newer_row: FloatArray,
    older: FloatArray,
    older_row: FloatArray,
    lag: int,
    rows: int,
    starts: IntArray,
    out: FloatArray,
) -> None:
    """Write the row of the greatest value, the newest of equals, from the parts' such rows."""
    ahead, ahead_row, made = newer[lag:], newer_row[lag:], out[lag:]
    for row in range(len(made)):
        found = ahead_row[row] if ahead[row] >= older[row] else older_row[row]
        made[row] = found + 0.0 * (ahead_row[row] + older_row[row])
    _opened(out, starts, rows)


@njit(cache=True, nogil=True, error_model="numpy")
def oldest_of_greatest(
    newer: FloatArray,
    newer_row: FloatArray,
    older: FloatArray,
    older_row: FloatArray,
    lag: int,
    rows: int,
    starts: IntArray,
    out: FloatArray,
) -> None:
    """Write the row of the greatest value, the oldest of equals, from the parts' such rows."""
    ahead, ahead_row, made = newer[lag:], newer_row[lag:], out[lag:]
    for row in range(len(made)):
        found = ahead_row[row] if ahead[row] > older[row] else older_row[row]
        made[row] = found + 0.0 * (ahead_row[row] + older_row[row])
    _opened(out, starts, rows)
