"""Hand a column of results over to where they are kept, as exact as they are kept there."""

import numpy as np
import pyarrow as pa
from numba import njit
from numpy.typing import NDArray

from pipelines.features.kernels.arrays import FloatArray, IntArray


@njit(cache=True, nogil=True)
def keep(values: FloatArray, kept: FloatArray) -> None:
    """Write all values; what the kept type can't hold is NaN."""
    for row in range(len(kept)):
        kept[row] = values[row]
        kept[row] = kept[row] if np.isfinite(kept[row]) else np.nan


@njit(cache=True, nogil=True)
def keep_chosen(values: FloatArray, rows: IntArray, places: IntArray, kept: FloatArray) -> None:
    """Write the values of some rows to their places; what the kept type can't hold is NaN."""
    for number in range(len(rows)):
        place = places[number]
        kept[place] = values[rows[number]]
        kept[place] = kept[place] if np.isfinite(kept[place]) else np.nan


def arrow_of(values: NDArray[np.float32]) -> pa.FloatArray:
    """Return values as Arrow has them, NaN as null; they are shared, not copied."""
    known = np.empty((len(values) + 7) // 8, np.uint8)
    nulls = _mark_known(values, known)
    buffers = [pa.py_buffer(known) if nulls else None, pa.py_buffer(values)]
    return pa.FloatArray.from_buffers(pa.float32(), len(values), buffers, nulls)


@njit(cache=True, nogil=True)
def _mark_known(values: FloatArray, known: NDArray[np.uint8]) -> int:
    """Set the bit of each value that is no NaN, the lowest bit first; return how many are."""
    nulls = 0
    for place in range(len(known)):
        bits = 0
        for bit in range(min(8, len(values) - 8 * place)):
            value = values[8 * place + bit]
            if value == value:
                bits |= 1 << bit
            else:
                nulls += 1
        known[place] = bits
    return nulls
