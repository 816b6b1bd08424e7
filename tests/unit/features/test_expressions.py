"""The expression language: what can be written, and what is read from the tree."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given

from pipelines.features import language
from pipelines.features.expressions import Call, Column, Constant, Expression
from pipelines.features.language import (
    close,
    correlation,
    delay,
    ema,
    high,
    low,
    mean,
    rank,
    session_mean,
    std,
    where,
    wilder,
)
from pipelines.features.operators import OPERATORS
from tests.support.random_expressions import EXPRESSIONS


def test_expressions_written_alike_are_equal() -> None:
    """Otherwise a common subexpression would be computed once for each feature."""
    assert close / mean(close, 20) - 1 == close / mean(close, 20) - 1
    assert close / mean(close, 20) - 1 != close / mean(close, 21) - 1


@given(EXPRESSIONS)
def test_the_text_of_an_expression_reads_back_as_the_same_tree(tree: Expression) -> None:
    """The documented formula would not be the computed one."""
    assert eval(tree.text, vars(language).copy()) == tree  # noqa: S307 - our own text


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        (close / mean(close, 20) - 1, "close / mean(close, 20) - 1"),
        (close - (high - low), "close - (high - low)"),
        (-(close * 2) / high, "-(close * 2) / high"),
        (
            where((close > low) * 2.5 >= 1, abs(close)),
            "where((close > low) * 2.5 >= 1, abs(close))",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_formula_reads_as_a_person_would_write_it(tree: Expression, text: str) -> None:
    """A reader of the documentation would count parentheses."""
    assert tree.text == text


@pytest.mark.parametrize(
    ("tree", "rows"),
    [
        (close, 0),
        (delay(close, 5), 5),
        (mean(close, 20), 19),
        (std(close / delay(close, 1) - 1, 20), 20),
        (delay(mean(close, 10), 3) / mean(close, 5), 12),
        (correlation(delay(close, 7), high, 4), 10),
        (ema(close, 12), 63),
        (wilder(delay(close, 1), 14), 128),
        (ema(close, 250), 399),
        (rank(mean(close, 20)), 19),
    ],
)
def test_look_back_adds_up_along_the_deepest_path(tree: Expression, rows: int) -> None:
    """The engine would read too few rows, or far too many."""
    assert tree.look_back == rows


@pytest.mark.parametrize("rows", [-1, 0, 1.5])
def test_a_delay_into_the_future_cannot_be_written(rows: float) -> None:
    """A feature could look ahead."""
    with pytest.raises(ValueError, match="reads the past only"):
        delay(close, rows)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="reads the past only"):
        Call("delay", (close,), rows)  # type: ignore[arg-type]


def test_a_window_too_short_for_its_statistic_is_refused() -> None:
    """One value has no sample deviation: every row would be null in silence."""
    with pytest.raises(ValueError, match="std needs a whole number of rows, 2 or more, got 1"):
        std(close, 1)


@pytest.mark.parametrize(
    "build",
    [
        lambda: Column("clsoe"),
        lambda: Call("maen", (close,), 5),
        lambda: Call("add", (close,)),
        lambda: Call("add", (Constant(1), Constant(2))),
        lambda: Call("log", (close,), 5),
        lambda: Constant(float("nan")),
    ],
    ids=["column", "operator", "argument count", "constants only", "window", "not a number"],
)
def test_what_has_no_meaning_is_refused_when_written(build: Callable[[], Expression]) -> None:
    """The error would appear as an SQL error in the night."""
    with pytest.raises(ValueError, match=r".+"):
        build()


def test_a_comparison_used_as_a_truth_value_is_refused() -> None:
    """`low < close < high` would silently mean `close < high`."""
    with pytest.raises(TypeError, match="where"):
        assert low < close < high


def test_the_version_follows_the_tree_and_the_definitions_below_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A feature whose values changed would keep its version."""
    before = mean(close, 20).version
    assert before == mean(close, 20).version
    assert before != mean(close, 21).version
    assert before != mean(high, 20).version
    monkeypatch.setitem(OPERATORS, "mean", replace(OPERATORS["mean"], version=2))
    assert before != mean(close, 20).version


def test_inputs_are_the_leaves_of_the_tree() -> None:
    """Lineage would name columns that the feature does not read."""
    assert (high / delay(close, 1) - low).inputs == {"high", "close", "low"}


@pytest.mark.parametrize("build", [rank, session_mean], ids=["rank", "session_mean"])
def test_looking_back_over_a_comparison_of_symbols_is_refused(
    build: Callable[[Expression], Expression],
) -> None:
    """An incremental run has all symbols of the sessions that changed, not of those before."""
    with pytest.raises(ValueError, match="look back first, then compare symbols"):
        mean(close - build(close), 5)
    assert build(mean(close, 5)).is_session_wide
    assert not mean(close, 5).is_session_wide
