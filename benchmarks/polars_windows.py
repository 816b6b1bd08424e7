"""Features as one would write them in polars: rolling expressions over a symbol's rows."""

from collections.abc import Callable, Mapping

import polars as pl

from pipelines.features.expressions import Call, Column, Constant, Expression

ROW = pl.int_range(pl.len()).cast(pl.Float64)

WITHIN_A_ROW: dict[str, Callable[..., pl.Expr]] = {
    "add": lambda left, right: left + right,
    "subtract": lambda left, right: left - right,
    "multiply": lambda left, right: left * right,
    "divide": lambda left, right: left / right,
    "is_greater": lambda left, right: (left > right).cast(pl.Float64),
    "is_less": lambda left, right: (left < right).cast(pl.Float64),
    "larger": pl.max_horizontal,
    "smaller": pl.min_horizontal,
    "abs": lambda value: value.abs(),
    "log": lambda value: value.log(),
}

OVER_ROWS: dict[str, Callable[..., pl.Expr]] = {
    "delay": lambda rows, value: value.shift(rows),
    "total": lambda rows, value: value.rolling_sum(rows),
    "mean": lambda rows, value: value.rolling_mean(rows),
    "std": lambda rows, value: value.rolling_std(rows),
    "minimum": lambda rows, value: value.rolling_min(rows),
    "maximum": lambda rows, value: value.rolling_max(rows),
    "place": lambda rows, value: value.rolling_rank(rows) / rows,
    "correlation": lambda rows, left, right: pl.rolling_corr(left, right, window_size=rows),
    "slope": lambda rows, value: _slope(value, rows),
    "r_squared": lambda rows, value: pl.rolling_corr(value, ROW, window_size=rows) ** 2,
    "residual": lambda rows, value: (
        value - value.rolling_mean(rows) - _slope(value, rows) * (rows - 1) / 2
    ),
}


def computed_by_polars(rows: pl.DataFrame, expressions: Mapping[str, Expression]) -> pl.DataFrame:
    """Return the features that polars has operators for: it can't tell where an extreme was.

    Symbols are kept apart by grouping, the fastest of four ways (`over`: 1.1 times as long, a query
    for each symbol: 10 times).
    """
    columns = [
        _written(tree).cast(pl.Float32).alias(name)
        for name, tree in expressions.items()
        if _can_be_written(tree)
    ]
    by_symbol = rows.lazy().group_by("symbol", maintain_order=True).agg("session", *columns)
    return by_symbol.explode(pl.exclude("symbol")).collect()


def _can_be_written(tree: Expression) -> bool:
    if isinstance(tree, Call):
        is_known = tree.operator in WITHIN_A_ROW | OVER_ROWS or tree.operator == "quantile"
        return is_known and all(map(_can_be_written, tree.arguments))
    return True


def _written(tree: Expression) -> pl.Expr:
    match tree:
        case Column(name):
            return pl.col(name)
        case Constant(value):
            return pl.lit(value)
        case Call("quantile", (value, Constant(share)), rows):
            return _written(value).rolling_quantile(share, "linear", window_size=rows)
        case Call(operator, arguments, rows):
            written = map(_written, arguments)
            if operator in WITHIN_A_ROW:
                return WITHIN_A_ROW[operator](*written)
            return OVER_ROWS[operator](rows, *written)
    message = f"{tree!r} has no form in polars"
    raise TypeError(message)


def _slope(value: pl.Expr, rows: int) -> pl.Expr:
    """Return the slope over the number of the row, whose variance is known."""
    return pl.rolling_cov(value, ROW, window_size=rows) / (rows * (rows + 1) / 12)
