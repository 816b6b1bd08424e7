"""Ranks and means over all symbols of a session, on rows that come by session."""

from itertools import pairwise

import numpy as np
from numba import njit

from pipelines.features.kernels.arrays import FloatArray, IntArray

LARGEST = 1e12
"""As in the SQL (`pipelines.features.session_wide`)."""


def rank(values: FloatArray, starts: IntArray, result: FloatArray) -> None:
    """Write each row's place in its session, 0 the least to 1 the greatest.

    Equal values share the mean of their places; NaN where fewer than two symbols have a value.

    Args:
        values: One a row, by session.
        starts: Where each session begins, and the number of all rows at the end.
        result: Written.
    """
    rising = np.empty(len(values), np.int64)
    for begin, end in pairwise(starts):
        # NumPy sorts eight at a time, numba's own sort one by one; NaN comes last in both.
        rising[begin:end] = np.argsort(values[begin:end])
    _place(values, rising, starts, result)


@njit(cache=True, nogil=True)
def _place(values: FloatArray, rising: IntArray, starts: IntArray, result: FloatArray) -> None:
    """Write places, given the order of each session's rows by value."""
    for session in range(len(starts) - 1):
        first, past = starts[session], starts[session + 1]
        known = past - first
        while known > 0 and np.isnan(values[first + rising[first + known - 1]]):
            known -= 1
        others = known - 1
        begin = 0 if others > 0 else past - first
        for row in range(first, past):
            result[row] = np.nan
        while begin <= others:
            least = values[first + rising[first + begin]]
            end = begin
            while end < others and values[first + rising[first + end + 1]] == least:
                end += 1
            for place in range(begin, end + 1):
                result[first + rising[first + place]] = (begin + end) / (2.0 * others)
            begin = end + 1


@njit(cache=True, nogil=True)
def session_mean(values: FloatArray, starts: IntArray, result: FloatArray) -> None:
    """Write the mean of each row's session, added up in the order of the rows (Neumaier 1974).

    NaN where the row has no value, fewer than two symbols have one, or one of them is LARGEST or
    more, which a feature without a scale never is.
    """
    for session in range(len(starts) - 1):
        added, lost, known = 0.0, 0.0, 0
        for row in range(starts[session], starts[session + 1]):
            value = values[row]
            if np.isnan(value):
                continue
            if abs(value) >= LARGEST:
                added = np.nan
            grown = added + value
            if abs(added) >= abs(value):
                lost += (added - grown) + value
            else:
                lost += (value - grown) + added
            added = grown
            known += 1
        mean = (added + lost) / known if known > 1 else np.nan
        for row in range(starts[session], starts[session + 1]):
            result[row] = np.nan if np.isnan(values[row]) else mean
