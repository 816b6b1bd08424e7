"""Leaves that the date alone tells, made once a day and not once a row.

They are what the SQL of `pipelines.features.inputs` says of the same dates.
"""

from collections.abc import Callable, Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from pipelines.features.kernels.arrays import FloatArray, IntArray

Days = NDArray[np.datetime64]


def leaves_of_days(names: Iterable[str], first: int, last: int) -> dict[str, FloatArray]:
    """Return the leaves of each day from one to another, counted since 1970-01-01.

    Raises:
        KeyError: a leaf is none that the date tells.
    """
    days = np.arange(first, last + 1).astype("datetime64[D]")
    return {name: _LEAVES[name](days).astype(np.float64) for name in names}


def _number(days: Days) -> IntArray:
    return days.astype(np.int64)


def _weekday(days: Days) -> IntArray:
    return (_number(days) + 3) % 7 + 1  # 1970-01-01 was a Thursday


def _month(days: Days) -> IntArray:
    return days.astype("datetime64[M]").astype(np.int64) % 12 + 1


def _month_start(days: Days, months: int = 0) -> Days:
    """Return the first day of the month, or of that so many months later."""
    return (days.astype("datetime64[M]") + months).astype("datetime64[D]")


def _month_day(days: Days) -> IntArray:
    return _number(days) - _number(_month_start(days)) + 1


def _days_left_in_month(days: Days) -> IntArray:
    return _number(_month_start(days, 1)) - _number(days) - 1


def _third_friday(days: Days) -> IntArray:
    return 15 + (12 - _weekday(_month_start(days))) % 7


_LEAVES: Mapping[str, Callable[[Days], IntArray]] = {
    "day_number": _number,
    "weekday": _weekday,
    "month": _month,
    "month_day": _month_day,
    "days_left_in_month": _days_left_in_month,
    "third_friday": _third_friday,
}
