"""Sums that are the same to the bit however many rows are summed at once."""

import numpy as np
from numpy.typing import NDArray


def row_sums(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return sums along the last axis, added up from left to right.

    A product of matrices adds in another order where there are more rows: a night told by itself
    and the same night in a range would differ in the last bit. Where nothing is to be added, as of
    a portfolio of cash alone, sums are 0.
    """
    return sum(np.moveaxis(values, -1, 0), start=np.zeros(values.shape[:-1]))
