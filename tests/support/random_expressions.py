"""Hypothesis strategies for expressions of the feature language."""

from hypothesis import strategies as st

from pipelines.features import language
from pipelines.features.expressions import Expression
from pipelines.features.language import (
    close,
    correlation,
    high,
    larger,
    log,
    low,
    sign,
    smaller,
    sqrt,
    volume,
    where,
)

_LEAVES = st.sampled_from([close, high, low, volume, language.open])
_NUMBERS = st.sampled_from([-2.0, 0.0, 0.1, 1.0, 3.0, 1e-5])
_ROWS = st.integers(1, 12)
_ROW_FUNCTIONS = st.sampled_from([abs, log, sqrt, sign, lambda value: -value])
_WINDOWS = (
    "delay",
    "delta",
    "total",
    "mean",
    "minimum",
    "maximum",
    "std",
    "variance",
    "slope",
    "r_squared",
    "residual",
    "linear_mean",
    "since_maximum",
    "since_minimum",
    "place",
)


def _row_trees(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    operators = st.sampled_from(
        [
            lambda a, b: a + b,
            lambda a, b: a - b,
            lambda a, b: a * b,
            lambda a, b: a / b,
            lambda a, b: a > b,
            lambda a, b: a <= b,
            larger,
            smaller,
        ]
    )
    return st.one_of(
        st.builds(lambda function, a: function(a), _ROW_FUNCTIONS, inner),
        st.builds(lambda operator, a, b: operator(a, b), operators, inner, inner | _NUMBERS),
        st.builds(lambda operator, a, b: operator(a, b), operators, _NUMBERS, inner),
        st.builds(where, inner, inner, inner | _NUMBERS | st.none()),
    )


def _window_trees(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    return st.one_of(
        st.builds(
            lambda name, value, rows: getattr(language, name)(value, rows + 1),
            st.sampled_from(_WINDOWS),
            inner,
            _ROWS,
        ),
        st.builds(language.ema, inner, st.integers(2, 3)),
        st.builds(language.wilder, inner, st.just(2)),
        st.builds(lambda a, b, rows: language.count(a > b, rows), inner, inner, _ROWS),
        st.builds(lambda a, b, rows: language.streak(a > b, rows), inner, inner, _ROWS),
        st.builds(lambda a, rows: language.quantile(a, 0.8, rows), inner, _ROWS),
        st.builds(lambda a, b, rows: language.covariance(a, b, rows + 1), inner, inner, _ROWS),
        st.builds(lambda a, b, rows: correlation(a, b, rows + 2), inner, inner, _ROWS),
    )


EXPRESSIONS = st.recursive(
    _LEAVES, lambda inner: _row_trees(inner) | _window_trees(inner), max_leaves=5
)
