"""Expressions that several groups of features share."""

from pipelines.features.expressions import Expression
from pipelines.features.language import close, delay, mean, std, volume


def total_return(rows: int) -> Expression:
    """Return the total return of the last `rows` rows, as a fraction."""
    return close / delay(close, rows) - 1


def volatility(rows: int) -> Expression:
    """Return the standard deviation of the last `rows` daily returns, fraction per session."""
    return std(total_return(1), rows)


def volume_ratio(rows: int) -> Expression:
    """Return volume over its mean of `rows` rows."""
    return volume / mean(volume, rows)
