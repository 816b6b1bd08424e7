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
market_return = Column("market_return")
day_number = Column("day_number")
weekday = Column("weekday")
month = Column("month")
month_day = Column("month_day")
days_left_in_month = Column("days_left_in_month")
third_friday = Column("third_friday")
bullish_chance = Column("bullish_chance")
bearish_chance = Column("bearish_chance")
sideways_chance = Column("sideways_chance")
volatile_chance = Column("volatile_chance")
sessions_in_regime = Column("sessions_in_regime")
expected_sessions = Column("expected_sessions")
transition_risk = Column("transition_risk")
regime_log_score = Column("regime_log_score")
market_bullish_chance = Column("market_bullish_chance")
market_bearish_chance = Column("market_bearish_chance")
market_sideways_chance = Column("market_sideways_chance")
market_volatile_chance = Column("market_volatile_chance")
market_sessions_in_regime = Column("market_sessions_in_regime")
market_expected_sessions = Column("market_expected_sessions")
market_transition_risk = Column("market_transition_risk")
market_regime_log_score = Column("market_regime_log_score")


def exp(value: Expression) -> Expression:
    """Return e to the power of the value."""
    return Call("exp", (value,))


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


def covariance(left: Expression, right: Expression, rows: int) -> Expression:
    """Return the sample covariance (divisor n - 1) over the last `rows` rows."""
    return Call("covariance", (left, right), rows)


def slope(value: Expression, rows: int) -> Expression:
    """Return the change per row of the least-squares line through the last `rows` rows."""
    return Call("slope", (value,), rows)


def r_squared(value: Expression, rows: int) -> Expression:
    """Return the share of the variance that the line explains, null for a constant window."""
    return Call("r_squared", (value,), rows)


def residual(value: Expression, rows: int) -> Expression:
    """Return the value less what the line through the last `rows` rows says of its own row."""
    return Call("residual", (value,), rows)


def linear_mean(value: Expression, rows: int) -> Expression:
    """Return the mean by weights 1, 2 … `rows`, the newest row's the largest."""
    return Call("linear_mean", (value,), rows)


def since_maximum(value: Expression, rows: int) -> Expression:
    """Return how many rows ago the greatest of the last `rows` values was, the newest of equals."""
    return Call("since_maximum", (value,), rows)


def since_minimum(value: Expression, rows: int) -> Expression:
    """Return how many rows ago the least of the last `rows` values was, the newest of equals."""
    return Call("since_minimum", (value,), rows)


def position_of_maximum(value: Expression, rows: int) -> Expression:
    """Return the place in time of the greatest of the last values, 1 the oldest row's to `rows`.

    Of equal values the oldest counts.
    """
    return Call("position_of_maximum", (value,), rows)


def position_of_minimum(value: Expression, rows: int) -> Expression:
    """Return the place in time of the least of the last values, the oldest of equals."""
    return Call("position_of_minimum", (value,), rows)


def quantile(value: Expression, share: float, rows: int) -> Expression:
    """Return the quantile of the last `rows` values, between two of them by their distance.

    Raises:
        ValueError: `share` is not between 0 and 1.
    """
    if not 0 <= share <= 1:
        message = f"a quantile needs a share from 0 to 1, got {share}: 0.5 is the median"
        raise ValueError(message)
    return Call("quantile", (value, as_expression(share)), rows)


def place(value: Expression, rows: int) -> Expression:
    """Return the place of the value among the last `rows`, 1 / rows the least to 1 the greatest.

    Equal values share the mean of their places.
    """
    return Call("place", (value,), rows)


def streak(condition: Expression, rows: int) -> Expression:
    """Return for how many rows in a row, at most `rows`, the condition has held."""
    return Call("streak", (condition,), rows)


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


def zscore(value: Expression) -> Expression:
    """Return the distance from the session's mean, in standard deviations of its symbols.

    The deviation is that of the session itself (divisor n). Deviations are measured by their mean
    size before they are squared, so that small values keep their digits in a sum.
    """
    deviation = value - session_mean(value)
    relative = deviation / session_mean(abs(deviation))
    return relative / sqrt(session_mean(relative * relative))
