"""Quantiles, places, streaks and how long ago an extreme was, over the last n rows, as SQL.

Each reads the window as a list, which is slow and easy to check: the reference of the kernels.
"""

from pipelines.features.staging import StagedQuery


def quantile(query: StagedQuery, arguments: tuple[str, ...], rows: int) -> str:
    """Return the column with a quantile, between two values by their distance (type 7 of R)."""
    return query.value(
        "CASE WHEN {0} IS NOT NULL THEN list_aggregate({0}, 'quantile_cont', {1}) END",
        _window(query, arguments[0], rows),
        arguments[1],
    )


def place(query: StagedQuery, arguments: tuple[str, ...], rows: int) -> str:
    """Return the column with the place of the row's value, 1 / n the least to 1 the greatest."""
    less = "len(list_filter({0}, lambda other: other < {1}))"
    up_to = "len(list_filter({0}, lambda other: other <= {1}))"
    return query.value(
        f"({less} + {up_to} + 1) / {2.0 * rows!r}::DOUBLE",
        _window(query, arguments[0], rows),
        arguments[0],
    )


def since_extreme(function: str, query: StagedQuery, value: str, rows: int) -> str:
    """Return the column with the rows since the newest `max` or `min` of the window."""
    return query.value(
        f"CAST(list_position(list_reverse({{0}}), list_{function}({{0}})) - 1 AS DOUBLE)",
        _window(query, value, rows),
    )


def position(function: str, query: StagedQuery, value: str, rows: int) -> str:
    """Return the column with the place in time of the oldest `max` or `min`, 1 the oldest row."""
    return query.value(
        f"CAST(list_position({{0}}, list_{function}({{0}})) AS DOUBLE)",
        _window(query, value, rows),
    )


def streak(query: StagedQuery, arguments: tuple[str, ...], rows: int) -> str:
    """Return the column with the rows in a row, up to n, whose value is not zero."""
    return query.value(
        "CASE WHEN {0} IS NOT NULL THEN CAST("
        f"coalesce(list_position(list_reverse({{0}}), 0.0) - 1, {rows}) AS DOUBLE) END",
        _window(query, arguments[0], rows),
    )


def _window(query: StagedQuery, value: str, rows: int) -> str:
    """Return the column with the window's values, oldest first, null where one is missing."""
    frame = f"OVER (history ROWS BETWEEN {rows - 1} PRECEDING AND CURRENT ROW)"
    return query.window(
        f"CASE WHEN count({{0}}) {frame} = {rows} THEN list({{0}}) {frame} END", value
    )
