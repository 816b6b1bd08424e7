"""Hand a column of results over to where they are kept, as exact as they are kept there."""

import numpy as np
from numba import njit

from pipelines.features.kernels.arrays import FloatArray, IntArray


@njit(cache=True, nogil=True)
def keep(values: FloatArray, kept: FloatArray) -> None:
    """Write all values; what the kept type can't hold is NaN."""
    for row in range(len(kept)):
        kept[row] = values[row]
        if not np.isfinite(kept[row]):
            kept[row] = np.nan


@njit(cache=True, nogil=True)
def keep_chosen(values: FloatArray, rows: IntArray, places: IntArray, kept: FloatArray) -> None:
    """Write the values of some rows to their places; what the kept type can't hold is NaN."""
    for number in range(len(rows)):
        place = places[number]
        kept[place] = values[rows[number]]
        if not np.isfinite(kept[place]):
            kept[place] = np.nan
