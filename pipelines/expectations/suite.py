"""Judging rows by a suite of Great Expectations, and telling it with what a whole sweep found.

A check stands behind each table as the gate that a reader of the UI can understand. It is written
by another hand than the rules that keep bad bars out, so that one slip does not pass both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pipelines.expectations.rules import Suite

NEWEST_ROWS = 200_000
"""Rows that the library is given: 0.6 s and 120 MB at most."""


@dataclass(frozen=True)
class Outcome:
    """How many rows break one expectation, of the newest and of all that were swept."""

    name: str
    newest_against: int
    all_against: int

    @property
    def is_met(self) -> bool:
        """Whether no row breaks it."""
        return self.newest_against == 0 == self.all_against


class BrokenExpectationError(RuntimeError):
    """An expectation crashed: our fault, which says nothing about the data."""


def judge(suite: Suite, newest: pl.DataFrame, *, swept: Sequence[int]) -> list[Outcome]:
    """Return the outcome of every expectation of a suite.

    Args:
        suite: What is expected.
        newest: Rows of the table for the library to judge.
        swept: How many rows of those that were swept break each expectation, in order.

    Raises:
        BrokenExpectationError: an expectation could not be evaluated.
    """
    found = _rows_against(suite, newest)
    return [
        Outcome(expectation.name, of_newest, of_all)
        for expectation, of_newest, of_all in zip(suite.expectations, found, swept, strict=True)
    ]


def unmet(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return the expectations that do not hold."""
    return [outcome for outcome in outcomes if not outcome.is_met]


def outcomes_table(outcomes: Sequence[Outcome]) -> str:
    """Return the outcomes as a Markdown table."""
    lines = [
        f"| {outcome.name} | {'holds' if outcome.is_met else 'broken'} "
        f"| {outcome.newest_against:,} | {outcome.all_against:,} |"
        for outcome in outcomes
    ]
    head = ["| expectation | verdict | newest rows against it | rows swept |"]
    return "\n".join([*head, "| --- | --- | ---: | ---: |", *lines])


def _rows_against(suite: Suite, rows: pl.DataFrame) -> list[int]:
    """Return how many rows break each expectation, as the library counts them."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    if rows.is_empty():  # the library can't tell the types of no rows
        return [0] * len(suite.expectations)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    name = suite.table.name
    batch = (
        context.data_sources.add_pandas(name)
        .add_dataframe_asset(name)
        .add_batch_definition_whole_dataframe(name)
        .get_batch({"dataframe": rows.to_pandas()})
    )
    # One by one: handed over together, the library returns them in an order of its own.
    return [
        _count(batch.validate(one.for_library()), one.name, rows=rows.height)
        for one in suite.expectations
    ]


def _count(result: Any, name: str, *, rows: int) -> int:
    """Read one result of the library: how many rows break the expectation.

    A failure without a count is one of all rows.
    """
    crash = result.exception_info or {}
    if crash.get("raised_exception") or any(
        isinstance(part, dict) and part.get("raised_exception") for part in crash.values()
    ):
        message = f"expectation {name} crashed: {crash}; this is a fault of the suite, not of data"
        raise BrokenExpectationError(message)
    if result.success:
        return 0
    return int(result.result.get("unexpected_count") or rows)
