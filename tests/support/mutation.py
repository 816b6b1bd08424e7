"""Proof by mutation that nothing looks ahead: change the future, and the past must not move."""

from collections.abc import Callable
from datetime import date

import numpy as np
import polars as pl
from polars.testing import assert_frame_equal

from pipelines.features.futures import other_futures

Compute = Callable[[pl.DataFrame], pl.DataFrame]


def assert_past_unmoved(
    compute: Compute,
    bars: pl.DataFrame,
    session: date,
    rng: np.random.Generator,
    *,
    known_on: str = "session",
) -> None:
    """Fail if any change after `session`, in any symbol, moves a result known by then.

    The future is changed in four ways: every number of every row is another one, half of the rows
    are missing, all are missing, and a symbol is new. Results are compared bit for bit.

    Args:
        compute: from bars keyed by (symbol, session) to results keyed likewise.
        bars: the whole history.
        session: the last session that stays as it is.
        rng: where the other numbers come from.
        known_on: the results' date column that says when a row is known (labels: `label_end`).

    Raises:
        AssertionError: something known by `session` moved.
        ValueError: there is no past result or no future row, so that nothing would be proved.
    """
    future = bars.filter(_sides("session", session)[1])
    expected = _known_by(compute(bars), session, known_on)
    if future.is_empty() or expected.is_empty():
        message = (
            f"nothing to prove at {session}: {len(future)} later rows, {len(expected)} results"
            " known by then; choose a session inside the history"
        )
        raise ValueError(message)
    for _, changed in other_futures(bars, session, rng):
        actual = _known_by(compute(changed), session, known_on)
        assert_frame_equal(actual, expected, check_exact=True)


def _known_by(results: pl.DataFrame, session: date, known_on: str) -> pl.DataFrame:
    known, _ = _sides(known_on, session)
    return results.filter(known).sort("symbol", "session")


def _sides(column: str, session: date) -> tuple[pl.Expr, pl.Expr]:
    return pl.col(column) <= session, pl.col(column) > session
