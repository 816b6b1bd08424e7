"""The leaves of the expression language, defined over `clean_prices` in this one place.

Every leaf needs its own row only (and what is told of the market or of regimes after its session),
and that row is chained forward from sessions at or before its own: a later split or dividend does
not move it. The vendor's adjusted close is not used, because it rewrites the past at each dividend.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from pipelines.regimes.names import MARKET

SOURCES = {
    "bar": "clean_prices",
    "market": "market_returns",
    "regime": "regime_states",
    "market_regime": "regime_states",
}
"""The tables behind the names that leaves read from."""

_COLUMN = re.compile(rf"\b({'|'.join(SOURCES)})\.(\w+)")


@dataclass(frozen=True)
class Leaf:
    """One input column: its SQL over a row `bar` of `clean_prices`, its unit and its meaning.

    It may read the session's row `market` of `market_returns` besides, and the rows `regime` of the
    symbol and `market_regime` of the market in `regime_states`. What reads nothing but the session
    is the same for all symbols; the kernels make it themselves (`pipelines.features.kernels.days`).
    """

    name: str
    sql: str
    unit: str
    description: str

    @property
    def columns(self) -> frozenset[tuple[str, str]]:
        """Return what it reads: names of `SOURCES`, each with a column."""
        return frozenset(_COLUMN.findall(self.sql))

    @property
    def is_of_day(self) -> bool:
        """Return whether the date alone tells the value."""
        return {column for _, column in self.columns} == {"session"}


_MONTH_START = "date_trunc('month', bar.session)"

_INDEX_UNIT = "multiple of the first session's close"


def _regime_leaves(relation: str, prefix: str, whose: str) -> tuple[Leaf, ...]:
    """Return what `regime_states` tells after a session; null where it abstains."""

    def leaf(name: str, column: str, unit: str, description: str) -> Leaf:
        sql = f"CASE WHEN {relation}.abstain_reason IS NULL THEN {relation}.{column} END"
        return Leaf(f"{prefix}{name}", sql, unit, f"{description} {whose}")

    chances = ("bullish", "bearish", "sideways", "volatile")
    return (
        *(
            leaf(f"{name}_chance", name, "probability", f"Filtered chance of a {name} regime of")
            for name in chances
        ),
        leaf(
            "sessions_in_regime",
            "sessions_in_regime",
            "sessions",
            "How long the name of the regime has stood, of",
        ),
        leaf(
            "expected_sessions",
            "expected_sessions",
            "sessions",
            "How long the regime should go on, of",
        ),
        leaf(
            "transition_risk",
            "transition_risk",
            "probability",
            "Chance that the regime ends within five sessions, of",
        ),
        leaf(
            "regime_log_score",
            "log_score",
            "nats",
            "Log density that was foretold of the session's return, of",
        ),
    )


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
        ),
        *_regime_leaves("regime", "", "the symbol (table `regime_states`)."),
        *_regime_leaves("market_regime", "market_", "the market (table `regime_states`)."),
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


_JOINS = {
    "market": "market_returns AS market ON market.session = bar.session",
    "regime": "{regimes} AS regime ON regime.symbol = bar.symbol AND regime.session = bar.session",
    "market_regime": f"regime_states AS market_regime ON market_regime.symbol = '{MARKET}'"
    " AND market_regime.session = bar.session",
}
"""What is joined to a bar, by the names of `SOURCES`."""


def relations_read(names: Iterable[str]) -> list[str]:
    """Return the names of `SOURCES` that these leaves read, in the order of `SOURCES`."""
    read = {relation for name in names for relation, _ in LEAVES[name].columns}
    return [relation for relation in SOURCES if relation in read]


def reads_market(names: Iterable[str]) -> bool:
    """Return whether any of these leaves is a return of the market."""
    return "market" in relations_read(names)


def reads_regimes(names: Iterable[str]) -> bool:
    """Return whether any of these leaves is told by `regime_states`, of whomever."""
    return not {"regime", "market_regime"}.isdisjoint(relations_read(names))


def reads_market_regime(names: Iterable[str]) -> bool:
    """Return whether any of these leaves is told of the market's regime."""
    return "market_regime" in relations_read(names)


def bars_relation(source: str, names: Iterable[str], *, regimes: str = "regime_states") -> str:
    """Return the relation, to stand behind FROM, that these leaves are computed from.

    Args:
        source: relation with the columns of `clean_prices`.
        names: of the leaves.
        regimes: relation with the rows of `regime_states` of symbols.
    """
    joins = [_JOINS[relation] for relation in relations_read(names) if relation in _JOINS]
    return "".join([f"{source} AS bar", *(f" LEFT JOIN {join}" for join in joins)]).replace(
        "{regimes}", regimes
    )


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
    """Return the columns that these leaves read, of whatever table, in alphabetical order."""
    return tuple(sorted({column for name in names for _, column in LEAVES[name].columns}))
