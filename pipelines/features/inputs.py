"""The leaves of the expression language, defined over `clean_prices` in this one place.

Every leaf needs its own row only (and the market's of the session), and that row is chained forward
from sessions at or before its own: a later split or dividend does not move it. The vendor's
adjusted close is not used, because it rewrites the past at each dividend.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_COLUMN = re.compile(r"\b(?:bar|market)\.(\w+)")


@dataclass(frozen=True)
class Leaf:
    """One input column: its SQL over a row `bar` of `clean_prices`, its unit and its meaning.

    What reads the session's row `market` of `market_returns` besides is a value of the market.
    What reads nothing but the session is the same for all symbols; the kernels make it themselves
    (`pipelines.features.kernels.days`).
    """

    name: str
    sql: str
    unit: str
    description: str
    is_of_market: bool = False

    @property
    def is_of_day(self) -> bool:
        """Return whether the date alone tells the value."""
        return set(_COLUMN.findall(self.sql)) == {"session"}


_MONTH_START = "date_trunc('month', bar.session)"

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
        Leaf(
            "market_return",
            "market.mean_return",
            "fraction",
            "Return of the session, the mean of all symbols (table `market_returns`).",
            is_of_market=True,
        ),
        Leaf("day_number", "bar.session - DATE '1970-01-01'", "days", "Calendar days since 1970."),
        Leaf("weekday", "isodow(bar.session)", "day", "Day of the week, 1 Monday to 5 Friday."),
        Leaf("month", "month(bar.session)", "month", "Month of the year, 1 to 12."),
        Leaf("month_day", "day(bar.session)", "day", "Day of the month, 1 to 31."),
        Leaf(
            "days_left_in_month",
            "day(last_day(bar.session)) - day(bar.session)",
            "days",
            "Calendar days until the last one of the month.",
        ),
        Leaf(
            "third_friday",
            f"15 + (12 - isodow({_MONTH_START})) % 7",
            "day",
            "Day of the month on which its listed options expire, the third Friday.",
        ),
    )
}


def reads_market(names: Iterable[str]) -> bool:
    """Return whether any of these leaves is a value of the market."""
    return any(LEAVES[name].is_of_market for name in names)


def bars_relation(source: str, names: Iterable[str]) -> str:
    """Return the relation, to stand behind FROM, that these leaves are computed from."""
    market = " LEFT JOIN market_returns AS market ON market.session = bar.session"
    return f"{source} AS bar{market if reads_market(names) else ''}"


def leaf_columns(names: Iterable[str]) -> str:
    """Return the select list that computes these leaves from their `bars_relation`."""
    return ",\n    ".join(map(leaf_column, names))


def leaf_column(name: str) -> str:
    """Return the column that computes a leaf.

    A value that is not finite becomes null, here and nowhere else.
    """
    value = f"CAST({LEAVES[name].sql} AS DOUBLE)"
    return f"CASE WHEN isfinite({value}) THEN {value} END AS {name}"


def columns_read(names: Iterable[str]) -> tuple[str, ...]:
    """Return the columns that these leaves read, of either table, in alphabetical order."""
    return tuple(sorted({column for name in names for column in _COLUMN.findall(LEAVES[name].sql)}))
