"""What the kernels make of a date is what the SQL says of it."""

from datetime import date

import numpy as np
import polars as pl
from polars.testing import assert_frame_equal

from pipelines.features.inputs import LEAVES, leaf_columns
from pipelines.features.kernels.days import leaves_of_days
from tests.support.feature_queries import run_query

OF_DAY = sorted(name for name, leaf in LEAVES.items() if leaf.is_of_day)
EPOCH = date(1970, 1, 1)


def test_every_day_of_two_centuries_is_told_as_the_sql_tells_it() -> None:
    """A build reads no such leaf from the lake."""
    days = pl.date_range(date(1900, 1, 1), date(2100, 12, 31), eager=True)
    first, last = ((day - EPOCH).days for day in (days[0], days[-1]))
    told = run_query(
        f"SELECT {leaf_columns(OF_DAY)} FROM bars AS bar ORDER BY session",
        bars=days.to_frame("session"),
    )
    assert_frame_equal(pl.DataFrame(leaves_of_days(OF_DAY, first, last)), told)


def test_leaves_of_the_date_are_those_that_read_nothing_else() -> None:
    """1970-01-01 was a Thursday."""
    assert OF_DAY == [
        "day_number",
        "days_left_in_month",
        "month",
        "month_day",
        "third_friday",
        "weekday",
    ]
    assert np.array_equal(leaves_of_days(["weekday"], 0, 1)["weekday"], [4.0, 5.0])
