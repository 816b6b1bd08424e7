"""Which steps make up which operator of the language.

Every entry takes the plan, the operator's arguments (columns or constants) and the length of the
window, and returns the column with the result.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from pipelines.features.exponential import span_decay, weighted_rows, wilder_decay
from pipelines.features.kernels import merges, order, rowwise, runs
from pipelines.features.kernels.plan import Kernel, Operand, Plan
from pipelines.features.trends import row_squares

Arguments = Sequence[Operand]
Operation = Callable[[Plan, Arguments, int], int]


def _row(kernel: Kernel) -> Operation:
    """Return the operation of an operator that needs its own row only."""
    return lambda plan, values, _rows: plan.row(kernel, *values)


def _run(function: Callable[..., int]) -> Operation:
    """Return the operation that is a run's value as it is."""
    return lambda plan, values, rows: function(plan, *values, rows)


def _reversed(kernel: Kernel) -> Operation:
    """Return the operation of a comparison whose arguments change places."""
    return lambda plan, values, _rows: plan.row(kernel, values[1], values[0])


def _window(kernel: Kernel) -> Operation:
    """Return the operation that is one kernel over the window."""
    return lambda plan, values, rows: plan.window(kernel, *values, numbers=(rows,))


def _where(plan: Plan, values: Arguments, _rows: int) -> int:
    condition, value, otherwise = (*values, np.nan)[:3]
    return plan.row(rowwise.where, condition, value, otherwise)


def _delta(plan: Plan, values: Arguments, rows: int) -> int:
    earlier = plan.window(merges.delayed, values[0], numbers=(rows,))
    return plan.row(rowwise.subtract, values[0], earlier)


def _count(plan: Plan, values: Arguments, rows: int) -> int:
    return runs.total(plan, plan.row(rowwise.is_not_zero, values[0]), rows)


def _variance(plan: Plan, values: Arguments, rows: int) -> int:
    return plan.row(rowwise.divide, runs.squares(plan, values[0], rows), float(rows - 1))


def _std(plan: Plan, values: Arguments, rows: int) -> int:
    return plan.row(rowwise.sqrt, _variance(plan, values, rows))


def _covariance(plan: Plan, values: Arguments, rows: int) -> int:
    return plan.row(
        rowwise.divide, runs.products(plan, values[0], values[1], rows), float(rows - 1)
    )


def _correlation(plan: Plan, values: Arguments, rows: int) -> int:
    scales = (runs.squares(plan, value, rows) for value in values)
    return plan.row(rowwise.correlation, runs.products(plan, values[0], values[1], rows), *scales)


def _slope(plan: Plan, values: Arguments, rows: int) -> int:
    return plan.row(rowwise.divide, runs.trend(plan, values[0], rows), row_squares(rows))


def _r_squared(plan: Plan, values: Arguments, rows: int) -> int:
    parts = runs.trend(plan, values[0], rows), runs.squares(plan, values[0], rows)
    return plan.row(rowwise.r_squared, *parts, row_squares(rows))


def _residual(plan: Plan, values: Arguments, rows: int) -> int:
    """Return the value less the mean, less the slope times half the window."""
    to_last_row = (rows - 1) / 2 / row_squares(rows)
    line = plan.row(
        rowwise.multiply_add,
        runs.trend(plan, values[0], rows),
        to_last_row,
        runs.mean(plan, values[0], rows),
    )
    return plan.row(rowwise.subtract, values[0], line)


def _linear_mean(plan: Plan, values: Arguments, rows: int) -> int:
    return plan.row(
        rowwise.multiply_add,
        runs.trend(plan, values[0], rows),
        2 / (rows * (rows + 1)),
        runs.mean(plan, values[0], rows),
    )


def _exponential(decay_of: Callable[[int], float], plan: Plan, values: Arguments, rows: int) -> int:
    decay = decay_of(rows)
    weighted = weighted_rows(decay)
    # The sum of the weights, a geometric series.
    weight = (1 - decay**weighted) / (1 - decay)
    return plan.row(rowwise.divide, runs.exponential(plan, values[0], decay, weighted), weight)


def _rows_since(plan: Plan, value: Operand, rows: int) -> int:
    newest = runs.row_of_greatest(plan, value, rows, merge=merges.newest_of_greatest)
    return plan.row(rowwise.subtract, runs.row_number(plan), newest)


def _position(plan: Plan, value: Operand, rows: int) -> int:
    """Return the place in time of the greatest value, 1 the oldest row of the window."""
    oldest = runs.row_of_greatest(plan, value, rows, merge=merges.oldest_of_greatest)
    before = plan.row(rowwise.subtract, runs.row_number(plan), float(rows))
    return plan.row(rowwise.subtract, oldest, before)


def _of_greatest(function: Callable[[Plan, Operand, int], int]) -> Operation:
    return lambda plan, values, rows: function(plan, values[0], rows)


def _of_least(function: Callable[[Plan, Operand, int], int]) -> Operation:
    """Return the operation on the value with its sign changed, whose greatest is the least."""
    return lambda plan, values, rows: function(plan, plan.row(np.negative, values[0]), rows)


def _quantile(plan: Plan, values: Arguments, rows: int) -> int:
    return plan.window(order.quantile, values[0], numbers=(float(values[1]), rows))


def _place(plan: Plan, values: Arguments, rows: int) -> int:
    counted = plan.window(order.place, values[0], numbers=(rows,))
    unknown = runs.total(plan, plan.row(rowwise.nothing, values[0], values[0]), rows)
    return plan.row(rowwise.add, counted, unknown)


OPERATIONS: Mapping[str, Operation] = {
    "add": _row(rowwise.add),
    "subtract": _row(rowwise.subtract),
    "multiply": _row(rowwise.multiply),
    "divide": _row(rowwise.divide),
    "negate": _row(np.negative),
    "is_greater": _row(rowwise.is_greater),
    "is_greater_or_equal": _row(rowwise.is_greater_or_equal),
    "is_less": _reversed(rowwise.is_greater),
    "is_less_or_equal": _reversed(rowwise.is_greater_or_equal),
    "abs": _row(np.abs),
    "exp": _row(rowwise.exp),
    "log": _row(rowwise.log),
    "sqrt": _row(rowwise.sqrt),
    "sign": _row(rowwise.sign),
    "larger": _row(rowwise.larger),
    "smaller": _row(rowwise.smaller),
    "where": _where,
    "delay": _window(merges.delayed),
    "delta": _delta,
    "total": _run(runs.total),
    "mean": _run(runs.mean),
    "count": _count,
    "std": _std,
    "variance": _variance,
    "minimum": _run(runs.least),
    "maximum": _run(runs.greatest),
    "correlation": _correlation,
    "covariance": _covariance,
    "slope": _slope,
    "r_squared": _r_squared,
    "residual": _residual,
    "linear_mean": _linear_mean,
    "since_maximum": _of_greatest(_rows_since),
    "since_minimum": _of_least(_rows_since),
    "position_of_maximum": _of_greatest(_position),
    "position_of_minimum": _of_least(_position),
    "quantile": _quantile,
    "place": _place,
    "streak": _window(order.streak),
    "ema": partial(_exponential, span_decay),
    "wilder": partial(_exponential, wilder_decay),
}
