"""Ranks, means and deviations over all symbols of a session."""

import numpy as np
from numba import njit

from pipelines.features.kernels.arrays import FloatArray, IntArray

LARGEST = 1e12
"""As in the SQL (`pipelines.features.session_wide`)."""


@njit(cache=True, nogil=True)
def rank(values: FloatArray, order: IntArray, starts: IntArray, result: FloatArray) -> None:
    """Write each row's place in its session, 0 the least to 1 the greatest.

    Equal values share the mean of their places; NaN where fewer than two symbols have a value.

    Args:
        values: One a row, in any order.
        order: Rows by session.
        starts: Where each session begins in `order`, and the number of all rows at the end.
        result: Written.
    """
    for session in range(len(starts) - 1):
        rows = order[starts[session] : starts[session + 1]]
        known = rows[~np.isnan(values[rows])]
        result[rows] = np.nan
        others = len(known) - 1
        if others < 1:
            continue
        rising = known[np.argsort(values[known])]
        begin = 0
        while begin <= others:
            end = begin
            while end < others and values[rising[end + 1]] == values[rising[begin]]:
                end += 1
            for place in range(begin, end + 1):
                result[rising[place]] = (begin + end) / (2.0 * others)
            begin = end + 1


@njit(cache=True, nogil=True)
def session_mean(values: FloatArray, order: IntArray, starts: IntArray, result: FloatArray) -> None:
    """Write the mean of each row's session, added up in the order of the symbols (Neumaier 1974).

    NaN where the row has no value, fewer than two symbols have one, or one of them is LARGEST or
    more, which a feature without a scale never is.
    """
    for session in range(len(starts) - 1):
        added, lost, known = 0.0, 0.0, 0
        for place in range(starts[session], starts[session + 1]):
            value = values[order[place]]
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
        for place in range(starts[session], starts[session + 1]):
            row = order[place]
            result[row] = np.nan if np.isnan(values[row]) else mean
