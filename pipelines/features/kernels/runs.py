"""Sums, deviations, trends and extremes over n rows, as merges of shorter runs.

A run is cut where its length has its lowest binary digit: 60 rows are 32 + 16 + 8 + 4, and 32 are
16 + 16. So a value is a fixed tree of operations on the rows of its own window, wherever the
reading began, and the shorter runs serve every window over the same value. That is log n merges a
row, but of the kind that a processor does eight of at once (ADR 8 tells what else was measured).
"""

import numpy as np

from pipelines.features.kernels import merges, rowwise
from pipelines.features.kernels.plan import Kernel, Operand, Plan
from pipelines.features.operators import ROUNDING


def total(plan: Plan, value: Operand, rows: int) -> int:
    """Return the column with the sum."""
    if rows == 1:
        return plan.column(value)
    newer, older = _parts(rows)
    parts = total(plan, value, newer), total(plan, value, older)
    return plan.window(merges.added, *parts, numbers=(newer, rows))


def mean(plan: Plan, value: Operand, rows: int) -> int:
    """Return the column with the mean."""
    return plan.row(rowwise.divide, total(plan, value, rows), float(rows))


def squares(plan: Plan, value: Operand, rows: int) -> int:
    """Return the column with the sum of squared deviations, 0 where they are but rounding."""
    return plan.row(
        rowwise.above_rounding,
        products(plan, value, value, rows),
        total(plan, value, rows),
        ROUNDING / rows**0.5,
    )


def products(plan: Plan, left: Operand, right: Operand, rows: int) -> int:
    """Return the column with the sum of products of both values' deviations."""
    if rows == 1:
        return plan.row(rowwise.nothing, left, right)
    newer, older = _parts(rows)
    parts = (products(plan, left, right, length) for length in (newer, older))
    gaps = (_gap(plan, value, rows) for value in (left, right))
    return plan.window(merges.products, *parts, *gaps, numbers=(newer, rows))


def trend(plan: Plan, value: Operand, rows: int) -> int:
    """Return the column with the sum of products of the value's and the row number's deviations."""
    if rows == 1:
        return plan.row(rowwise.nothing, value, value)
    newer, older = _parts(rows)
    parts = (trend(plan, value, length) for length in (newer, older))
    return plan.window(merges.trends, *parts, _gap(plan, value, rows), numbers=(newer, rows))


def exponential(plan: Plan, value: Operand, decay: float, rows: int) -> int:
    """Return the column with the sum by weights decay^0, decay^1 … from the newest row back."""
    if rows == 1:
        return plan.column(value)
    newer, older = _parts(rows)
    parts = (exponential(plan, value, decay, length) for length in (newer, older))
    return plan.window(merges.weighted, *parts, numbers=(newer, rows, decay**newer))


def greatest(plan: Plan, value: Operand, rows: int) -> int:
    """Return the column with the greatest value."""
    if rows == 1:
        return plan.column(value)
    part = _overlapping(rows)
    longest = greatest(plan, value, part)
    return plan.window(merges.greatest, longest, longest, numbers=(rows - part, rows))


def least(plan: Plan, value: Operand, rows: int) -> int:
    """Return the column with the least value."""
    return plan.row(np.negative, greatest(plan, plan.row(np.negative, value), rows))


def row_of_greatest(plan: Plan, value: Operand, rows: int, *, merge: Kernel) -> int:
    """Return the column with the row of the greatest value; `merge` chooses among equals."""
    if rows == 1:
        unknown = plan.row(rowwise.nothing, value, value)
        return plan.row(rowwise.add, row_number(plan), unknown)
    part = _overlapping(rows)
    longest = greatest(plan, value, part), row_of_greatest(plan, value, part, merge=merge)
    return plan.window(merge, *longest, *longest, numbers=(rows - part, rows))


def row_number(plan: Plan) -> int:
    """Return the column with the number of each row in the batch."""
    return plan.window(merges.row_numbers, numbers=())


def _gap(plan: Plan, value: Operand, rows: int) -> int:
    """Return the column with the difference of the parts' means."""
    newer, older = _parts(rows)
    parts = total(plan, value, newer), total(plan, value, older)
    return plan.window(merges.gaps, *parts, numbers=(newer, rows))


def _parts(rows: int) -> tuple[int, int]:
    """Cut a run into the newer and the older part that it is merged of."""
    lowest = rows & -rows
    older = rows // 2 if lowest == rows else lowest
    return rows - older, older


def _overlapping(rows: int) -> int:
    """Return the length of the two parts that make an extreme, which may overlap."""
    return 1 << ((rows - 1).bit_length() - 1)
