"""Render many expressions as one DuckDB statement.

The base relation holds (symbol, session) once each and the leaf columns. A subexpression that
occurs in several features is computed once; the result columns are FLOAT, null where a
value does not fit.
"""

from collections.abc import Mapping

from pipelines.features.expressions import Call, Column, Constant, Expression
from pipelines.features.staging import StagedQuery


def leaf_names(expressions: Mapping[str, Expression]) -> list[str]:
    """Return the leaf columns that any of the expressions reads, in alphabetical order."""
    return sorted(frozenset().union(*(tree.inputs for tree in expressions.values())))


def feature_stages(
    expressions: Mapping[str, Expression], *, base: str, result_type: str = "FLOAT", rows: str = ""
) -> tuple[list[str], str, str]:
    """Return the common table expressions, the name of the last relation, and the select list.

    Args:
        expressions: by column name.
        base: a relation with symbol, session and the leaf columns.
        result_type: the DuckDB type of the result columns.
        rows: condition on the rows that session-wide columns are computed on; empty for all.
    """
    query = StagedQuery()
    known: dict[Expression, str] = {}
    columns = {name: _place(query, tree, known) for name, tree in expressions.items()}
    wanted = list(columns.values())
    ctes = query.ctes(base, leaves=leaf_names(expressions), wanted=wanted, rows=rows)
    selected = ", ".join(
        f"TRY_CAST({column} AS {result_type}) AS {name}" for name, column in columns.items()
    )
    return ctes, f"stage_{len(ctes)}" if ctes else base, selected


def _place(query: StagedQuery, tree: Expression, known: dict[Expression, str]) -> str:
    """Return the column with the tree's values, adding it where it is not there yet."""
    if tree not in known:
        known[tree] = _render(query, tree, known)
    return known[tree]


def _render(query: StagedQuery, tree: Expression, known: dict[Expression, str]) -> str:
    match tree:
        case Column(name):
            return name
        case Constant(value):
            return _literal(value)
        case Call(_, arguments, window):
            placed = tuple(_place(query, argument, known) for argument in arguments)
            return tree.entry.render(query, placed, window)
    message = f"{type(tree).__name__} has no SQL form: build expressions from the language's words"
    raise TypeError(message)


def _literal(value: float) -> str:
    """Write all digits as a DOUBLE; without an exponent DuckDB would read a DECIMAL."""
    digits = repr(float(value))
    return f"({digits if 'e' in digits else digits + 'e0'})"
