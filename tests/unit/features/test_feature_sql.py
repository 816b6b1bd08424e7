"""The rendered SQL and the compiled kernels against a naive evaluator of the definitions."""

from collections.abc import Callable
from typing import cast

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipelines.features.expressions import Expression
from pipelines.features.language import (
    close,
    correlation,
    count,
    covariance,
    delay,
    delta,
    dollar_volume,
    ema,
    high,
    larger,
    linear_mean,
    log,
    low,
    maximum,
    mean,
    minimum,
    place,
    quantile,
    r_squared,
    residual,
    since_maximum,
    since_minimum,
    slope,
    smaller,
    sqrt,
    std,
    streak,
    total,
    variance,
    volume,
    where,
    wilder,
)
from pipelines.features.language import open as opening
from pipelines.features.sql import feature_stages
from tests.support.clean_bars import simulated_clean_prices
from tests.support.feature_queries import kernel_values_of, values_of
from tests.support.naive_features import Values, naive_leaves, naive_values
from tests.support.random_expressions import EXPRESSIONS

TOLERANCE = 1e-9

Engine = Callable[[Expression, pl.DataFrame], pl.DataFrame]


@pytest.fixture(params=[values_of, kernel_values_of], ids=["sql", "kernels"], scope="module")
def engine(request: pytest.FixtureRequest) -> Engine:
    """One of both ways to the values of an expression."""
    return cast(Engine, request.param)


def assert_agreement(
    tree: Expression, bars: pl.DataFrame, rng: np.random.Generator, *, engine: Engine
) -> int:
    """Compare every row on which the definition has one right answer; return how many."""
    computed, compared = engine(tree, bars), 0
    for (symbol,), own in bars.group_by("symbol"):
        leaves = naive_leaves(own.sort("session"))
        expected = naive_values(tree, leaves)
        actual = computed.filter(symbol=symbol)["value"].fill_null(np.nan).to_numpy()
        is_settled = _settled(tree, leaves, expected, rng)
        assert not np.isinf(actual).any()
        agrees = _close(actual, expected, TOLERANCE)
        assert agrees[is_settled].all(), (tree.text, actual[~agrees], expected[~agrees])
        compared += int((is_settled & ~np.isnan(expected)).sum())
    return compared


def _settled(
    tree: Expression, leaves: dict[str, Values], expected: Values, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Leave out quotients of rounding errors and comparisons of equals: last digits decide them."""
    others = [naive_values(tree, leaves, rounding=rng) for _ in range(12)]
    agreements = [_close(other, expected, TOLERANCE / 10) for other in others]
    settled: NDArray[np.bool_] = np.all(np.array(agreements), axis=0)
    return settled


def _close(left: Values, right: Values, tolerance: float) -> NDArray[np.bool_]:
    return np.isclose(left, right, rtol=tolerance, atol=tolerance, equal_nan=True)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(tree=EXPRESSIONS, seed=st.integers(0, 9))
def test_any_expression_agrees_with_its_definition(
    tree: Expression, seed: int, engine: Engine
) -> None:
    """The published SQL would compute something else than the published formula."""
    rng = np.random.default_rng(seed)
    assert_agreement(tree, simulated_clean_prices(rng, symbols=2, sessions=40), rng, engine=engine)


@pytest.mark.parametrize(
    "tree",
    [
        opening,
        dollar_volume,
        delta(close, 3),
        total(volume, 23),
        mean(close, 7),
        count(close > opening, 9),
        std(volume, 29),
        variance(close, 31),
        minimum(low, 14),
        maximum(high, 14),
        correlation(close, volume, 21),
        covariance(close, volume, 13),
        slope(close, 9),
        r_squared(close, 11),
        residual(volume, 10),
        linear_mean(close, 8),
        since_maximum(close, 12),
        since_minimum(low, 7),
        quantile(close, 0.2, 10),
        quantile(volume, 1, 6),
        place(close, 15),
        streak(close > opening, 6),
        log(volume),
        sqrt(close - 1),
        larger(close, opening) - smaller(close, 1),
        where(close > opening, volume, -1),
        where(volume > 500_000, high / low),
        mean(std(close, 5), 6),
        ema(close, 12),
        ema(ema(volume, 3), 4),
        wilder(volume, 5),
    ],
    ids=lambda tree: tree.text,
)
def test_each_operator_agrees_with_its_definition(tree: Expression, engine: Engine) -> None:
    """An operator that random expressions seldom reach could be wrong."""
    rng = np.random.default_rng(3)
    assert assert_agreement(tree, simulated_clean_prices(rng), rng, engine=engine) > 30


def one_symbol(values: list[float | None]) -> pl.DataFrame:
    """Return bars of one symbol whose leaf `close` takes these values."""
    rows = simulated_clean_prices(
        np.random.default_rng(1), symbols=1, sessions=len(values), missing_share=0
    )
    return rows.with_columns(total_return_index=pl.Series(values, dtype=pl.Float64))


@pytest.mark.parametrize(
    "tree",
    [1 / (close - close), log(close - close), log(-close), sqrt(-close), close * 1e308 * 1e308],
    ids=lambda tree: tree.text,
)
def test_what_is_not_a_finite_number_is_null(tree: Expression, engine: Engine) -> None:
    """Infinity or NaN would reach a document, and MongoDB's readers reject it."""
    assert engine(tree, one_symbol([1.0, 2.0, 3.0]))["value"].null_count() == 3


@pytest.mark.parametrize("rows", [2, 5, 7, 14, 20, 27, 50])
def test_a_constant_window_has_exactly_no_deviation(rows: int, engine: Engine) -> None:
    """A deviation of 1e-17 in a denominator makes a feature of 1e15 out of a stale price."""
    bars = one_symbol([0.1] * 60)
    assert engine(std(close, rows), bars)["value"].drop_nulls().unique().to_list() == [0.0]
    assert engine(correlation(close, high, rows), bars)["value"].null_count() == 60


def test_a_steadily_growing_price_has_no_deviation_of_returns(engine: Engine) -> None:
    """Its returns differ by rounding alone, and a ratio of two roundings is a random number."""
    bars = one_symbol([1.0001**day for day in range(60)])
    returns = close / delay(close, 1) - 1
    assert engine(std(returns, 20), bars)["value"].drop_nulls().unique().to_list() == [0.0]
    assert engine(std(returns, 5) / std(returns, 20), bars)["value"].null_count() == 60


@pytest.mark.parametrize("window", [total, mean, std, minimum, maximum, count])
def test_a_window_with_a_null_is_null(window: Callable[..., Expression], engine: Engine) -> None:
    """A mean over fewer rows than it says would pass for the real one."""
    bars = one_symbol([1.0, 2.0, None, 4.0, 5.0, 6.0, 7.0])
    values = engine(window(close, 3), bars)["value"].is_null().to_list()
    assert values == [True, True, True, True, True, False, False]


def test_a_shared_subexpression_is_computed_once() -> None:
    """The statement would grow with the number of features instead of the number of ideas."""
    one, _, _ = feature_stages({"a": std(close, 20)}, base="bars")
    both, _, _ = feature_stages({"a": std(close, 20), "b": std(close, 20)}, base="bars")
    assert one == both


@pytest.mark.parametrize("rows", [200, 300])
def test_exponential_weights_end_after_400_rows(rows: int, engine: Engine) -> None:
    """A long mean would need a history that no young symbol has."""
    rng = np.random.default_rng(5)
    bars = simulated_clean_prices(rng, symbols=1, sessions=420, missing_share=0)
    values = engine(ema(close, rows), bars)["value"]
    assert values.is_null().sum() == 399
    assert assert_agreement(ema(close, rows), bars, rng, engine=engine) == 21


def test_an_exponential_mean_does_not_depend_on_where_its_series_began(engine: Engine) -> None:
    """The textbook's recursion fails this: a part of the history gives other values."""
    bars = simulated_clean_prices(np.random.default_rng(5), symbols=1, sessions=200)
    whole, part = (engine(ema(close, 12), rows) for rows in (bars, bars[37:]))
    assert part["value"][63:].equals(whole["value"][100:])
    assert part["value"][63:].null_count() == 0


def test_an_exponential_mean_is_close_to_the_endless_one(engine: Engine) -> None:
    """Charts elsewhere show the recursion; what is left out must not be seen."""
    bars = simulated_clean_prices(np.random.default_rng(6), symbols=1, sessions=600)
    endless = bars["total_return_index"].ewm_mean(span=26, adjust=True)
    values = engine(ema(close, 26), bars)["value"]
    assert ((values / endless - 1).abs()[127:] < 1e-4).all()
