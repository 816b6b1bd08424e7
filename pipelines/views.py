"""Views a quant opens the lake with: made when `make sql` opens it, stored nowhere.

A view is what a name stands for, so that no one has to join a dozen narrow tables by hand. Prices
are read as `clean_prices` has them; nothing here is an input of a model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipelines.documents.period_price import period_query
from pipelines.features.catalogue import GROUPS
from pipelines.features.groups import FeatureGroup, feature_names
from pipelines.features.version_tables import FEATURE_TABLE_VERSIONS, FEATURE_VERSIONS
from pipelines.prices.knowledge import prices_as_known_query
from pipelines.tables import CLEAN_PRICES


@dataclass(frozen=True)
class View:
    """A query with a name, and what a row of it is."""

    name: str
    description: str
    query: str


EXPOSURES: Mapping[str, str] = {
    "momentum": "momentum_250_20",
    "reversal": "-return_5",
    "trend": "distance_to_mean_50",
    "volatility": "volatility_20",
    "activity": "volume_ratio_20",
    "skewness": "realized_skewness_20",
    "illiquidity": "illiquidity_rank_20",
}
"""The feature that stands for each factor; larger values mean more of the factor."""


def views(groups: Sequence[FeatureGroup] = GROUPS) -> tuple[View, ...]:
    """Return every view, in the order in which one may read another."""
    return (
        View(
            "features",
            "Every feature of every symbol and session, all groups side by side.",
            f"SELECT symbol, session, {', '.join(feature_names(groups))} FROM {_joined(groups)}",
        ),
        View(
            "latest_features",
            "Every feature of each symbol's newest session.",
            f"""SELECT features.* FROM features
            JOIN (SELECT symbol, max(session) AS session FROM {CLEAN_PRICES.name} GROUP BY symbol)
            USING (symbol, session) ORDER BY symbol""",
        ),
        View(
            "weekly_bars",
            "A bar a symbol and calendar week, per share as of its last session; the newest may be "
            "partial.",
            _periods("week"),
        ),
        View(
            "monthly_bars",
            "A bar a symbol and calendar month, per share as of its last session; the newest may "
            "be partial.",
            _periods("month"),
        ),
        View(
            "factor_exposures",
            "How much of each factor a symbol carries on a session, in standard deviations from "
            "the mean of all symbols of that session.",
            f"SELECT {', '.join(['symbol', 'session', *_exposures(groups)])} FROM features"
            " WINDOW session_wide AS (PARTITION BY session)",
        ),
        View(
            "feature_history",
            "Every version of every feature, in force or not, with a query that reads its values.",
            _HISTORY,
        ),
    )


_HISTORY = f"""
    SELECT feature, number, version, spell.table_name, first_snapshot, last_snapshot, is_in_force,
           formula, changelog, is_breaking, known_at,
           format('SELECT symbol, session, {{}} FROM {{}}{{}}', feature, spell.table_name,
                  CASE WHEN is_in_force THEN ''
                       ELSE format(' AT (VERSION => {{}})', last_snapshot) END) AS reading
    FROM (
        SELECT *, unnest(map_entries(features::JSON::MAP(VARCHAR, VARCHAR))) AS held,
               last_snapshot = max(last_snapshot) OVER (PARTITION BY table_name) AS is_in_force
        FROM {FEATURE_TABLE_VERSIONS.name}
    ) AS spell
    JOIN {FEATURE_VERSIONS.name} AS of_feature
        ON of_feature.feature = held.key AND of_feature.version = held.value
    ORDER BY feature, first_snapshot"""


def view_statements(groups: Sequence[FeatureGroup] = GROUPS) -> list[str]:
    """Return the DDL of all views and of `prices_as_known`, for the connection alone."""
    known = prices_as_known_query("instant")
    return [
        *(f"CREATE OR REPLACE TEMP VIEW {view.name} AS {view.query}" for view in views(groups)),
        f"CREATE OR REPLACE TEMP MACRO prices_as_known(instant) AS TABLE {known}",
    ]


def filled_tables_query() -> str:
    """Return SQL for the names of the feature tables that hold a row: a desk may leave some out."""
    return " UNION ALL ".join(
        f"SELECT '{group.name}' WHERE EXISTS (FROM {group.name})" for group in GROUPS
    )


def _joined(groups: Sequence[FeatureGroup]) -> str:
    """Return the tables of all groups as one relation; each has a row for every clean bar."""
    first, *others = (group.name for group in groups)
    return first + "".join(f" LEFT JOIN {other} USING (symbol, session)" for other in others)


def _periods(unit: str) -> str:
    """Return the bars of calendar periods."""
    return f"WITH bars AS (SELECT * FROM {CLEAN_PRICES.name}) {period_query(unit)}"


def _exposures(groups: Sequence[FeatureGroup]) -> list[str]:
    """Return a column for each factor that a feature of the groups stands for.

    It is null where a session has fewer than two symbols.
    """
    held = feature_names(groups)
    return [
        f"CAST(({value} - avg({value}) OVER session_wide)"
        f" / nullif(stddev_samp({value}) OVER session_wide, 0) AS FLOAT) AS {factor}"
        for factor, value in EXPOSURES.items()
        if value.removeprefix("-") in held
    ]
