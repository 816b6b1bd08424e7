"""The words a feature is written with: import from here, or evaluate a formula's text here.

Windows count rows of the symbol, the current one included. A window is null until every one of
its rows has a value, an exponential mean until all its weighted rows have; division by zero, the
logarithm of what is not positive and the square root of what is negative are null. The absolute
value is Python's own `abs(x)`, the sum of a window `total`.
"""

from pipelines.features.expressions import Call, Column, Expression, Operand, as_expression

open = Column("open")  # noqa: A001 - the market's word; this module opens no file
high = Column("high")
low = Column("low")
close = Column("close")
volume = Column("volume")
dollar_volume = Column("dollar_volume")


def log(value: Expression) -> Expression:
    """Return the natural logarithm."""
    return Call("log", (value,))


def sqrt(value: Expression) -> Expression:
    """Return the square root."""
    return Call("sqrt", (value,))


def sign(value: Expression) -> Expression:
    """Return -1, 0 or 1."""
    return Call("sign", (value,))


def larger(left: Operand, right: Operand) -> Expression:
    """Return the larger of two values of the same row, null if either is."""
    return Call("larger", (as_expression(left), as_expression(right)))


def smaller(left: Operand, right: Operand) -> Expression:
    """Return the smaller of two values of the same row, null if either is."""
    return Call("smaller", (as_expression(left), as_expression(right)))


def where(condition: Expression, value: Operand, otherwise: Operand | None = None) -> Expression:
    """Return `value` where the condition holds, else `otherwise` (null when not given).

    Where the condition itself is null, the result is null.
    """
    branches = (value,) if otherwise is None else (value, otherwise)
    return Call("where", (condition, *(as_expression(branch) for branch in branches)))


def delay(value: Expression, rows: int) -> Expression:
    """Return the value of `rows` rows ago."""
    return Call("delay", (value,), rows)


def delta(value: Expression, rows: int) -> Expression:
    """Return the value less that of `rows` rows ago."""
    return Call("delta", (value,), rows)


def total(value: Expression, rows: int) -> Expression:
    """Return the sum over the last `rows` rows."""
    return Call("total", (value,), rows)


def mean(value: Expression, rows: int) -> Expression:
    """Return the arithmetic mean over the last `rows` rows."""
    return Call("mean", (value,), rows)


def count(condition: Expression, rows: int) -> Expression:
    """Return on how many of the last `rows` rows the condition holds."""
    return Call("count", (condition,), rows)


def std(value: Expression, rows: int) -> Expression:
    """Return the sample standard deviation (divisor n - 1) over the last `rows` rows."""
    return Call("std", (value,), rows)


def variance(value: Expression, rows: int) -> Expression:
    """Return the sample variance (divisor n - 1) over the last `rows` rows."""
    return Call("variance", (value,), rows)


def minimum(value: Expression, rows: int) -> Expression:
    """Return the least value of the last `rows` rows."""
    return Call("minimum", (value,), rows)


def maximum(value: Expression, rows: int) -> Expression:
    """Return the greatest value of the last `rows` rows."""
    return Call("maximum", (value,), rows)


def correlation(left: Expression, right: Expression, rows: int) -> Expression:
    """Return Pearson's correlation over the last `rows` rows, null where either is constant."""
    return Call("correlation", (left, right), rows)


def ema(value: Expression, rows: int) -> Expression:
    """Return the exponential mean of span `rows`: each weight is 1 - 2 / (rows + 1) of the next.

    Weights end where those left out are under 1e-4 of all, at the latest after 400 rows.
    """
    return Call("ema", (value,), rows)


def wilder(value: Expression, rows: int) -> Expression:
    """Return Wilder's smoothed mean: each weight is 1 - 1 / rows of the next; they end as ema's."""
    return Call("wilder", (value,), rows)


def rank(value: Expression) -> Expression:
    """Return the place among all symbols of the session, 0 the least to 1 the greatest.

    Equal values share the mean of their places; null with fewer than two symbols.
    """
    return Call("rank", (value,))


def session_mean(value: Expression) -> Expression:
    """Return the mean over all symbols of the session, each with the same weight.

    Null with fewer than two symbols.
    """
    return Call("session_mean", (value,))
