"""Ranks and means over all symbols of a session, on rows that come by session."""

import numpy as np
from numba import njit

from pipelines.features.kernels.arrays import FloatArray, IntArray
from pipelines.features.kernels.sorting import keys_of, sort_keys

LARGEST = 1e12
"""As in the SQL (`pipelines.features.session_wide`)."""


@njit(cache=True, nogil=True)
def rank(values: FloatArray, starts: IntArray, result: FloatArray) -> None:
    """Write each row's place in its session, 0 the least to 1 the greatest.

    Equal values share the mean of their places; NaN where fewer than two symbols have a value.

    Args:
        values: One a row, by session.
        starts: Where each session begins, and the number of all rows at the end.
        result: Written.
    """
    longest = np.max(np.diff(starts))
    keys, rows = np.empty((2, longest), np.uint64), np.empty((2, longest), np.int64)
    for session in range(len(starts) - 1):
        first, past = starts[session], starts[session + 1]
        result[first:past] = np.nan
        known = keys_of(values[first:past], keys[0], rows[0])
        others = known - 1
        if others < 1:
            continue
        sort_keys(keys[:, :known], rows[:, :known])
        begin = 0
        while begin <= others:
            end = begin
            while end < others and keys[0, end + 1] == keys[0, begin]:
                end += 1
            for place in range(begin, end + 1):
                result[first + rows[0, place]] = (begin + end) / (2.0 * others)
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
