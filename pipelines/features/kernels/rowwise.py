"""Operators within a row: compiled element by element, NaN standing for null.

The rules are those of the SQL: a null argument gives null, and so does what is not finite.
"""

import math
from collections.abc import Callable
from typing import Any

from numba import vectorize

from pipelines.features.kernels.arrays import FloatArray

_ONE = ["float64(float64)"]
_TWO = ["float64(float64, float64)"]
_THREE = ["float64(float64, float64, float64)"]


def _compiled(signatures: list[str]) -> Callable[[Callable[..., float]], Any]:
    """Return numba's decorator; it makes a NumPy ufunc, which takes columns and numbers."""
    decorator: Callable[[Callable[..., float]], Any] = vectorize(  # type: ignore[no-untyped-call]
        signatures, nopython=True, cache=True
    )
    return decorator


def repeated(value: float, out: FloatArray) -> None:
    """Write a constant on every row."""
    out[:] = value


@_compiled(_TWO)
def add(left: float, right: float) -> float:
    """Return the sum."""
    value = left + right
    return value if math.isfinite(value) else math.nan


@_compiled(_TWO)
def subtract(left: float, right: float) -> float:
    """Return the difference."""
    value = left - right
    return value if math.isfinite(value) else math.nan


@_compiled(_TWO)
def multiply(left: float, right: float) -> float:
    """Return the product."""
    value = left * right
    return value if math.isfinite(value) else math.nan


@_compiled(_TWO)
def divide(left: float, right: float) -> float:
    """Return the quotient, NaN for a divisor of zero."""
    if right == 0.0:
        return math.nan
    value = left / right
    return value if math.isfinite(value) else math.nan


@_compiled(_TWO)
def is_greater(left: float, right: float) -> float:
    """Return 1 or 0."""
    if math.isnan(left) or math.isnan(right):
        return math.nan
    return 1.0 if left > right else 0.0


@_compiled(_TWO)
def is_greater_or_equal(left: float, right: float) -> float:
    """Return 1 or 0."""
    if math.isnan(left) or math.isnan(right):
        return math.nan
    return 1.0 if left >= right else 0.0


@_compiled(_TWO)
def larger(left: float, right: float) -> float:
    """Return the larger one, NaN if either is."""
    if math.isnan(left) or math.isnan(right):
        return math.nan
    return max(left, right)


@_compiled(_TWO)
def smaller(left: float, right: float) -> float:
    """Return the smaller one, NaN if either is."""
    if math.isnan(left) or math.isnan(right):
        return math.nan
    return min(left, right)


@_compiled(_ONE)
def log(value: float) -> float:
    """Return the natural logarithm of what is positive."""
    return math.log(value) if value > 0.0 else math.nan


@_compiled(_ONE)
def sqrt(value: float) -> float:
    """Return the square root of what is not negative."""
    return math.sqrt(value) if value >= 0.0 else math.nan


@_compiled(_ONE)
def exp(value: float) -> float:
    """Return e to the power of the value."""
    result = math.exp(value)
    return result if math.isfinite(result) else math.nan


@_compiled(_ONE)
def is_not_zero(value: float) -> float:
    """Return 1 or 0."""
    if math.isnan(value):
        return math.nan
    return 1.0 if value != 0.0 else 0.0


@_compiled(_ONE)
def sign(value: float) -> float:
    """Return -1, 0 or 1."""
    if math.isnan(value):
        return math.nan
    return (1.0 if value > 0.0 else 0.0) - (1.0 if value < 0.0 else 0.0)


@_compiled(_THREE)
def where(condition: float, value: float, otherwise: float) -> float:
    """Return `value` where the condition is neither 0 nor NaN, `otherwise` where it is 0."""
    if math.isnan(condition):
        return math.nan
    return value if condition != 0.0 else otherwise


@_compiled(_TWO)
def nothing(left: float, right: float) -> float:
    """Return 0, NaN where either is: what one row adds to a sum of deviations."""
    return left * 0.0 + right * 0.0


@_compiled(_THREE)
def above_rounding(squares: float, total: float, rounding: float) -> float:
    """Return the sum of squared deviations, 0 where it is no more than rounding."""
    noise = total * rounding
    return 0.0 if squares <= noise * noise else squares


@_compiled(_THREE)
def correlation(products: float, left: float, right: float) -> float:
    """Return the correlation from sums of products and of squares, NaN where either is 0."""
    scale = math.sqrt(left) * math.sqrt(right)
    # Rounding can carry a perfect correlation past 1 by one unit in the last place.
    return max(-1.0, min(1.0, products / scale)) if scale > 0.0 else math.nan


@_compiled(_THREE)
def r_squared(trend: float, squares: float, row_squares: float) -> float:
    """Return the share of the squares that a line explains, NaN where there are none."""
    return min(1.0, trend * trend / (squares * row_squares)) if squares > 0.0 else math.nan


@_compiled(_THREE)
def multiply_add(value: float, factor: float, addend: float) -> float:
    """Return value × factor + addend."""
    result = value * factor + addend
    return result if math.isfinite(result) else math.nan
