"""Features as one would write them in DuckDB: an aggregate over a frame of rows for each window.

The SQL that the desk publishes is another, whose values do not depend on where a series begins.
"""

from collections.abc import Mapping
from itertools import count

from pipelines.features.expressions import Call, Column, Constant, Expression
from pipelines.features.sql import leaf_names
from pipelines.features.staging import StagedQuery

ROW_NUMBER = "row_number() OVER history"

OVER_A_FRAME = {
    "total": "sum({0}) {frame}",
    "mean": "avg({0}) {frame}",
    "std": "stddev_samp({0}) {frame}",
    "minimum": "min({0}) {frame}",
    "maximum": "max({0}) {frame}",
    "correlation": "corr({0}, {1}) {frame}",
    "quantile": "quantile_cont({0}, {1}) {frame}",
    "slope": "regr_slope({0}, {row}) {frame}",
    "r_squared": "regr_r2({0}, {row}) {frame}",
    "residual": "{0} - avg({0}) {frame} - regr_slope({0}, {row}) {frame} * ({rows} - 1) / 2",
    "position_of_maximum": "arg_max({row}, {0}) {frame} - {row} + {rows}",
    "position_of_minimum": "arg_min({row}, {0}) {frame} - {row} + {rows}",
    "place": "(rank(ORDER BY {0}) {frame} + {rows} * cume_dist(ORDER BY {0}) {frame}) / 2 / {rows}",
}


def window_query(expressions: Mapping[str, Expression], *, source: str) -> str:
    """Return the statement that computes features from `source`: symbol, session and the leaves."""
    query = StagedQuery()
    known: dict[Expression, str] = {}
    columns = {name: _column(query, tree, known) for name, tree in expressions.items()}
    stages = query.ctes(source, leaves=leaf_names(expressions), wanted=list(columns.values()))
    selected = ", ".join(f"{column}::FLOAT AS {name}" for name, column in columns.items())
    return f"WITH {', '.join(stages)} SELECT symbol, session, {selected} FROM stage_{len(stages)}"


def _column(query: StagedQuery, tree: Expression, known: dict[Expression, str]) -> str:
    """Return the column with a tree's values, adding it where it is not there yet."""
    if tree not in known:
        match tree:
            case Column(name):
                known[tree] = name
            case Constant(value):
                known[tree] = f"{value!r}::DOUBLE"
            case Call(operator, arguments, rows):
                columns = [_column(query, argument, known) for argument in arguments]
                if operator in OVER_A_FRAME:
                    known[tree] = _over_a_frame(query, operator, columns, rows)
                else:
                    known[tree] = tree.entry.render(query, tuple(columns), rows)
    return known[tree]


def _over_a_frame(query: StagedQuery, operator: str, columns: list[str], rows: int) -> str:
    numbers = count(len(columns))
    template = OVER_A_FRAME[operator]
    inputs = list(columns)
    if "{row}" in template:
        template = template.replace("{row}", f"{{{next(numbers)}}}")
        inputs.append(query.window(ROW_NUMBER))
    frame = f"OVER (history ROWS BETWEEN {rows - 1} PRECEDING AND CURRENT ROW)"
    text = template.replace("{frame}", frame).replace("{rows}", str(rows))
    return query.window(text, *inputs)
