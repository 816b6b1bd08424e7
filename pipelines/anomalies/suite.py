"""The hard rules once more, as a Great Expectations suite over clean prices.

The sweep keeps bad bars out; this suite stands behind it as the gate that a reader of the UI can
understand, written by another hand than the sweep's SQL, so that one slip does not pass both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

SUITE_NAME = "clean_prices"
PRICES = ("open", "high", "low", "close")


@dataclass(frozen=True)
class Expectation:
    """One expectation's outcome: how many of the rows it looked at do not hold."""

    name: str
    is_met: bool
    unexpected_rows: int


class BrokenExpectationError(RuntimeError):
    """An expectation crashed: our fault, which says nothing about the data."""


def judge_clean_prices(rows: pl.DataFrame) -> list[Expectation]:
    """Return the outcome of every expectation of the suite on rows of `clean_prices`.

    Raises:
        BrokenExpectationError: an expectation could not be evaluated.
    """
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    suite = gx.ExpectationSuite(name=SUITE_NAME, expectations=_expectations())
    batch = (
        context.data_sources.add_pandas(SUITE_NAME)
        .add_dataframe_asset(SUITE_NAME)
        .add_batch_definition_whole_dataframe(SUITE_NAME)
        .get_batch({"dataframe": rows.to_pandas()})
    )
    return [_outcome(result) for result in batch.validate(suite).results]


def unmet(outcomes: Sequence[Expectation]) -> list[Expectation]:
    """Return the expectations that do not hold."""
    return [outcome for outcome in outcomes if not outcome.is_met]


def expectations_table(outcomes: Sequence[Expectation]) -> str:
    """Return the outcomes as a Markdown table."""
    lines = [
        f"| {outcome.name} | {'holds' if outcome.is_met else 'broken'} "
        f"| {outcome.unexpected_rows} |"
        for outcome in outcomes
    ]
    return "\n".join(
        ["| expectation | verdict | rows against it |", "| --- | --- | ---: |", *lines]
    )


def _expectations() -> list[Any]:
    """Return the suite's expectations."""
    from great_expectations import expectations as gxe

    above_zero = [
        gxe.ExpectColumnValuesToBeBetween(column=name, min_value=0, strict_min=True)
        for name in (*PRICES, "split_coefficient", "split_factor", "total_return_index")
    ]
    at_least_zero = [
        gxe.ExpectColumnValuesToBeBetween(column=name, min_value=0)
        for name in ("volume", "dividend_amount")
    ]
    in_range = [
        gxe.ExpectColumnPairValuesAToBeGreaterThanB(column_A=high, column_B=low, or_equal=True)
        for high, low in (("high", "open"), ("high", "close"), ("open", "low"), ("close", "low"))
    ]
    key = gxe.ExpectCompoundColumnsToBeUnique(column_list=["symbol", "session"])
    return [key, *above_zero, *at_least_zero, *in_range]


def _outcome(result: Any) -> Expectation:
    """Read one result of the library."""
    config = result.expectation_config
    columns = {key: value for key, value in config.kwargs.items() if key.startswith("column")}
    name = f"{config.type} ({', '.join(str(value) for value in columns.values())})"
    crash = result.exception_info or {}
    if crash.get("raised_exception") or any(
        isinstance(part, dict) and part.get("raised_exception") for part in crash.values()
    ):
        message = f"expectation {name} crashed: {crash}; this is a fault of the suite, not of data"
        raise BrokenExpectationError(message)
    return Expectation(name, bool(result.success), int(result.result.get("unexpected_count") or 0))
