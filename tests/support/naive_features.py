"""A slow second opinion: an expression's values straight from its definition, in numpy.

Each window is cut out and handed to numpy; nothing is shared with the SQL rendering. Null is NaN.
"""

from collections.abc import Callable

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import percentileofscore

from pipelines.features.expressions import Call, Column, Constant, Expression
from pipelines.features.operators import ROUNDING

Values = NDArray[np.float64]


def naive_leaves(bars: pl.DataFrame) -> dict[str, Values]:
    """Return the leaves of one symbol's bars, oldest first, from their definition in words."""
    raw = {name: bars[name].to_numpy().astype(float) for name in bars.columns[2:]}
    to_index = raw["total_return_index"] / raw["close"]
    return {
        **{name: raw[name] * to_index for name in ("open", "high", "low")},
        "close": raw["total_return_index"],
        "volume": raw["volume"] / raw["split_factor"],
        "dollar_volume": raw["close"] * raw["volume"],
    }


def naive_values(
    tree: Expression, leaves: dict[str, Values], rounding: np.random.Generator | None = None
) -> Values:
    """Return the value of every row of one symbol.

    With `rounding`, every leaf and result on the way is off by about 1e-14 of itself: what then
    comes out differently hangs on the last digits, and has no one right answer.
    """
    length = len(next(iter(leaves.values())))
    match tree:
        case Column(name):
            return _nudged(leaves[name], rounding)
        case Constant(value):
            return np.full(length, value)
        case Call(operator, arguments, rows):
            values = [naive_values(argument, leaves, rounding) for argument in arguments]
            with np.errstate(all="ignore"):
                result = _nudged(_applied(operator, values, rows), rounding)
            return np.where(np.isfinite(result), result, np.nan)
    raise TypeError(type(tree))


def _nudged(values: Values, rounding: np.random.Generator | None) -> Values:
    if rounding is None:
        return values
    return values * (1 + 1e-14 * rounding.standard_normal(len(values)))


def _applied(operator: str, values: list[Values], rows: int) -> Values:
    if operator in _ROW:
        is_known = ~np.isnan(np.array(values)).any(axis=0)
        return np.where(is_known | (operator == "where"), _ROW[operator](*values), np.nan)
    if operator in ("delay", "delta"):
        earlier = np.full(len(values[0]), np.nan)
        earlier[rows:] = values[0][: len(values[0]) - min(rows, len(values[0]))]
        return earlier if operator == "delay" else values[0] - earlier
    if operator in _DECAY:
        weights = _weights(_DECAY[operator](rows))
        return _windowed(values, len(weights), lambda window: float(window @ weights))
    return _windowed(values, rows, _WINDOW[operator])


def _windowed(values: list[Values], rows: int, function: Callable[..., float]) -> Values:
    result = np.full(len(values[0]), np.nan)
    for end in range(rows, len(values[0]) + 1):
        windows = [column[end - rows : end] for column in values]
        if not np.isnan(windows).any():
            result[end - 1] = function(*windows)
    return result


def _weights(decay: float) -> Values:
    """Return the weights of an exponential mean, oldest row first."""
    sizes = [2**power for power in range(9) if decay ** (2**power) <= 1e-4]
    weights = decay ** np.arange(min([*sizes, 400]) - 1, -1, -1.0)
    return weights / weights.sum()


def _where(condition: Values, value: Values, otherwise: Values | None = None) -> Values:
    other = np.full(len(value), np.nan) if otherwise is None else otherwise
    return np.where(np.isnan(condition), np.nan, np.where(condition != 0, value, other))


def _correlation(left: Values, right: Values) -> float:
    if _deviation(left) == 0 or _deviation(right) == 0:
        return np.nan
    return float(np.corrcoef(left, right)[0, 1])


def _line(window: Values) -> tuple[float, float]:
    """Return the slope of the line through a window and its value at the last row."""
    slope, level = np.polyfit(np.arange(len(window)), window, 1)
    return float(slope), float(level + slope * (len(window) - 1))


def _r_squared(window: Values) -> float:
    return np.nan if _deviation(window) == 0 else float(_correlation_with_rows(window) ** 2)


def _correlation_with_rows(window: Values) -> float:
    """Return the correlation of a window with its row numbers."""
    return float(np.corrcoef(np.arange(len(window)), window)[0, 1])


def _deviation(values: Values) -> float:
    is_rounding = np.std(values) <= ROUNDING * abs(np.mean(values))
    return 0.0 if is_rounding else float(np.std(values, ddof=1))


_ROW: dict[str, Callable[..., Values]] = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "negate": np.negative,
    "is_greater": lambda a, b: (a > b) * 1.0,
    "is_greater_or_equal": lambda a, b: (a >= b) * 1.0,
    "is_less": lambda a, b: (a < b) * 1.0,
    "is_less_or_equal": lambda a, b: (a <= b) * 1.0,
    "abs": np.abs,
    "log": np.log,
    "sqrt": np.sqrt,
    "sign": np.sign,
    "larger": np.maximum,
    "smaller": np.minimum,
    "where": _where,
}

_DECAY: dict[str, Callable[[int], float]] = {
    "ema": lambda rows: 1 - 2 / (rows + 1),
    "wilder": lambda rows: 1 - 1 / rows,
}

_WINDOW: dict[str, Callable[..., float]] = {
    "covariance": lambda left, right: float(np.cov(left, right)[0, 1]),
    "slope": lambda window: float(_line(window)[0]),
    "r_squared": lambda window: _r_squared(window),
    "residual": lambda window: float(window[-1] - _line(window)[1]),
    "linear_mean": lambda window: float(np.average(window, weights=np.arange(len(window)) + 1)),
    "since_maximum": lambda window: float(np.argmax(window[::-1])),
    "since_minimum": lambda window: float(np.argmin(window[::-1])),
    "quantile": lambda window, share: float(np.quantile(window, share[-1])),
    "place": lambda window: float(percentileofscore(window, window[-1]) / 100),
    "streak": lambda window: float(np.argmin([*(window[::-1] != 0), False])),
    "total": lambda window: float(np.sum(window)),
    "mean": lambda window: float(np.mean(window)),
    "count": lambda window: float(np.count_nonzero(window)),
    "std": _deviation,
    "variance": lambda window: _deviation(window) ** 2,
    "minimum": lambda window: float(np.min(window)),
    "maximum": lambda window: float(np.max(window)),
    "correlation": _correlation,
}
