"""Ranks and means over all symbols of one session, as SQL.

A value depends on the other symbols that have a row in the same session, and on nothing later. A
session in which fewer than two symbols have a value has no rank and no mean, and a symbol without a
value has none either.
"""

from pipelines.features.staging import StagedQuery

SESSION = "PARTITION BY session"

# Numbers are added as whole multiples of 2^-40 (about 1e-12). Whole numbers have the same sum in
# any order; DuckDB adds up a session in the order in which its threads meet the rows, and the last
# digits of a sum of DOUBLEs follow that order.
_UNIT = float(2**40)
_LARGEST = 1e12


def rank(query: StagedQuery, value: str) -> str:
    """Return the column with the place among the session's symbols, 0 the least to 1 the greatest.

    Equal values share the mean of their places.
    """
    others = f"(count({{0}}) OVER ({SESSION}) - 1)"
    ordered = f"OVER ({SESSION} ORDER BY {{0}} NULLS LAST)"
    # rank() is the first place among equals, count() the last.
    places = f"(rank() {ordered} + count({{0}}) {ordered} - 2)"
    return query.session_wide(
        f"CASE WHEN {{0}} IS NOT NULL AND {others} > 0 THEN {places}::DOUBLE / (2 * {others}) END",
        value,
    )


def session_mean(query: StagedQuery, value: str) -> str:
    """Return the column with the mean of all values of the session.

    Null where one of them is 1e12 or more, which a feature without a scale never is.
    """
    whole = query.value(
        f"CASE WHEN abs({{0}}) < {_LARGEST!r} THEN CAST({{0}} * {_UNIT!r}::DOUBLE AS HUGEINT) END",
        value,
    )
    known, added = (f"count({{{column}}}) OVER ({SESSION})" for column in (0, 1))
    return query.session_wide(
        f"CASE WHEN {{0}} IS NOT NULL AND {known} > 1 AND {known} = {added}"
        f" THEN sum({{1}}) OVER ({SESSION})::DOUBLE / {_UNIT!r}::DOUBLE / {known} END",
        value,
        whole,
    )
