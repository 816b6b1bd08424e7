"""How fast this machine moves memory: the limit that every figure of a column engine stands by."""

from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

import numpy as np

VALUES = 2**25
"""64-bit values that a thread copies, 256 MB: far more than any cache holds."""
REPEATS = 5
GIGABYTE = 1e9


def copied_gigabytes_a_second(threads: int) -> float:
    """Return gigabytes read and written a second by copies in some threads, the best of five."""
    arrays = [(np.zeros(VALUES), np.ones(VALUES)) for _ in range(threads)]

    def copy(thread: int) -> None:
        np.copyto(*arrays[thread])

    seconds = []
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(REPEATS):
            started = perf_counter()
            list(pool.map(copy, range(threads)))
            seconds.append(perf_counter() - started)
    return threads * 2 * arrays[0][0].nbytes / GIGABYTE / min(seconds)
