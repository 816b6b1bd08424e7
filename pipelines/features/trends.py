"""The line through the last n rows of a symbol by least squares, and what it says, as SQL.

Rows count as 0, 1, 2 …: a slope is per row. All follows from the co-moment of value and row number
(see `windows`), the row numbers' own squares being known.
"""

from pipelines.features.staging import StagedQuery
from pipelines.features.windows import comoment, total


def row_squares(rows: int) -> float:
    """Return the sum of squared deviations of the numbers of `rows` rows from their mean."""
    return rows * (rows * rows - 1) / 12


def trend(query: StagedQuery, value: str, rows: int) -> str:
    """Return the column with the co-moment of value and row number."""
    number = query.window("CAST(row_number() OVER history AS DOUBLE)")
    return comoment(query, value, number, rows)


def slope(query: StagedQuery, arguments: tuple[str, ...], rows: int) -> str:
    """Return the column with the change per row."""
    return query.value(f"{{0}} / {row_squares(rows)!r}", trend(query, arguments[0], rows))


def residual(query: StagedQuery, arguments: tuple[str, ...], rows: int) -> str:
    """Return the column with the value less what the line says of its own row."""
    line = f"{{2}} / {rows} + {{1}} * {(rows - 1) / 2 / row_squares(rows)!r}"
    columns = trend(query, arguments[0], rows), total(query, arguments[0], rows)
    return query.value(f"{{0}} - ({line})", arguments[0], *columns)


def linear_mean(query: StagedQuery, arguments: tuple[str, ...], rows: int) -> str:
    """Return the column with the mean by weights 1, 2 … n, the newest row's the largest."""
    columns = trend(query, arguments[0], rows), total(query, arguments[0], rows)
    return query.value(f"{{1}} / {rows} + {{0}} / {rows * (rows + 1) / 2!r}", *columns)
