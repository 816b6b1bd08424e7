"""The leaves of the expression language, defined over `clean_prices` in this one place.

Every leaf needs its own row only, and that row is chained forward from sessions at or before its
own: a later split or dividend does not move it. The vendor's adjusted close is not used, because it
rewrites the past at each dividend.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Leaf:
    """One input column: its SQL over a row `bar` of `clean_prices`, its unit and its meaning."""

    name: str
    sql: str
    unit: str
    description: str


_INDEX_UNIT = "multiple of the first session's close"

LEAVES: dict[str, Leaf] = {
    leaf.name: leaf
    for leaf in (
        Leaf(
            "open",
            "bar.open / nullif(bar.close, 0) * bar.total_return_index",
            _INDEX_UNIT,
            "Opening price on the total-return scale of its session.",
        ),
        Leaf(
            "high",
            "bar.high / nullif(bar.close, 0) * bar.total_return_index",
            _INDEX_UNIT,
            "Highest price on the total-return scale of its session.",
        ),
        Leaf(
            "low",
            "bar.low / nullif(bar.close, 0) * bar.total_return_index",
            _INDEX_UNIT,
            "Lowest price on the total-return scale of its session.",
        ),
        Leaf(
            "close",
            "bar.total_return_index",
            _INDEX_UNIT,
            "Total-return index: the close with splits undone and dividends reinvested.",
        ),
        Leaf(
            "volume",
            "bar.volume / nullif(bar.split_factor, 0)",
            "shares of the first session",
            "Volume with the splits up to its session undone.",
        ),
        Leaf(
            "dollar_volume",
            "bar.close * bar.volume",
            "currency of the listing",
            "Traded value at the close as traded: raw close times raw volume.",
        ),
    )
}


def leaf_columns(names: Iterable[str]) -> str:
    """Return the select list that computes these leaves from `clean_prices AS bar`.

    A value that is not finite becomes null, here and nowhere else.
    """
    return ",\n    ".join(_finite(LEAVES[name]) for name in names)


def _finite(leaf: Leaf) -> str:
    value = f"CAST({leaf.sql} AS DOUBLE)"
    return f"CASE WHEN isfinite({value}) THEN {value} END AS {leaf.name}"
