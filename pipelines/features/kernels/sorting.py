"""Sorting the values of a session: by digits, where comparing them takes twice as long.

Measured on sessions of 10,000 symbols, nanoseconds a value: numba's argsort 79, NumPy's 37; by
three digits of 11 bits 22, by two of 13 bits 18 (sessions of 500 symbols: 26 and 33).
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from pipelines.features.kernels.arrays import FloatArray, IntArray

Keys = NDArray[np.uint64]

DIGIT_BITS = 13
DIGITS = 5
BINS = 1 << DIGIT_BITS
LEADING = 2
"""Digits that tell most values apart: a sign, an exponent, and 13 bits of the rest."""
MOST_MOVES = 8
"""Moves a value after which the other digits are looked at."""
SIGN = np.uint64(1 << 63)


@njit(cache=True, nogil=True)
def keys_of(values: FloatArray, keys: Keys, rows: IntArray) -> int:
    """Write whole numbers in the order of the values, and their rows; return how many are no NaN.

    Zeros are one number, whatever their sign.
    """
    bits = values.view(np.uint64)
    known = 0
    for row in range(len(values)):
        if np.isnan(values[row]):
            continue
        key = np.uint64(0) if values[row] == 0 else bits[row]
        keys[known] = ~key if key & SIGN else key | SIGN
        rows[known] = row
        known += 1
    return known


@njit(cache=True, nogil=True)
def sort_keys(keys: Keys, rows: IntArray) -> None:
    """Sort keys[0], and rows[0] with them; the other halves are overwritten.

    Leading digits first, by counting; what they can't tell apart is moved to its place, and where
    that is much, all digits are counted.
    """
    _count_digits(keys, rows, DIGITS - LEADING)
    if not _insert(keys[0], rows[0], MOST_MOVES * keys.shape[1]):
        _count_digits(keys, rows, 0)


@njit(cache=True, nogil=True)
def _count_digits(keys: Keys, rows: IntArray, lowest: int) -> None:
    """Sort by the digits from `lowest` on, each time into the other half (Knuth 5.2.5, R)."""
    number, source = keys.shape[1], 0
    counts = np.zeros((DIGITS, BINS), np.int64)
    for place in range(number):
        for digit in range(lowest, DIGITS):
            counts[digit, _digit(keys[0, place], digit)] += 1
    for digit in range(lowest, DIGITS):
        if counts[digit, _digit(keys[source, 0], digit)] == number:
            continue  # all keys have the same one
        begin = 0
        for value in range(BINS):
            count = counts[digit, value]
            counts[digit, value] = begin
            begin += count
        target = 1 - source
        for place in range(number):
            key = keys[source, place]
            value = _digit(key, digit)
            put = counts[digit, value]
            counts[digit, value] = put + 1
            keys[target, put] = key
            rows[target, put] = rows[source, place]
        source = target
    if source == 1:
        keys[0] = keys[1]
        rows[0] = rows[1]


@njit(cache=True, nogil=True)
def _digit(key: int, digit: int) -> int:
    """Return a digit of a key, the lowest one being 0."""
    return int((key >> np.uint64(digit * DIGIT_BITS)) & np.uint64(BINS - 1))


@njit(cache=True, nogil=True)
def _insert(keys: Keys, rows: IntArray, most: int) -> bool:
    """Move each key to its place among those before; return False where that is too much."""
    for begin in range(1, len(keys)):
        key, row, place = keys[begin], rows[begin], begin
        while place > 0 and keys[place - 1] > key:
            keys[place], rows[place] = keys[place - 1], rows[place - 1]
            place -= 1
            most -= 1
        keys[place], rows[place] = key, row
        if most < 0:
            return False
    return True
