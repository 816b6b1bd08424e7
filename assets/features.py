"""Features and labels: what models see of a session, and what the next one brought."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

import dagster as dg
import polars as pl

from assets.feature_report import feature_metadata
from assets.groups import LAKE_POOL, ONE_RUN, OWNERS, Group
from assets.partitions import sessions_of_run
from assets.quality import clean_prices
from assets.reporting import table_metadata, update_metadata
from assets.tables import table_asset
from pipelines.derivations import TableUpdate, duplicate_key_query
from pipelines.features.catalogue import SIGNAL_GROUPS
from pipelines.features.cross_sections import CROSS_SECTIONS
from pipelines.features.distributions import recent_values_query
from pipelines.features.engine import feature_extremes_query, feature_statistics_query
from pipelines.features.groups import FeatureGroup
from pipelines.features.indicators import INDICATORS
from pipelines.features.market_returns import MARKET_RETURNS_DERIVATION
from pipelines.features.ranges import out_of_bounds, statistics_table
from pipelines.features.technical import TECHNICAL
from pipelines.label_derivation import NEXT_SESSION_LABELS_DERIVATION
from pipelines.tables import FEATURE_TABLES, MARKET_RETURNS, NEXT_SESSION_LABELS
from resources.feature_tables import bring_features_up_to_date
from resources.lake import Lake
from resources.market import Market
from resources.nights import Nights
from resources.unjudged import unjudged_query

_BOUNDS_DESCRIPTION = (
    "Every feature lies within what its own formula can give, and no row is there twice."
)


def statistics_of(group: FeatureGroup, lake: Lake) -> pl.DataFrame:
    """Return how the values of a group's table are spread over the last year, a row a feature."""
    recent = recent_values_query(list(group.expressions), table=group.name)
    return lake.read(feature_statistics_query(group, table=f"({recent})"))


def derived_metadata(
    group: FeatureGroup, lake: Lake, update: TableUpdate, statistics: pl.DataFrame
) -> dict[str, Any]:
    """Return what to report of a group's table that was brought up to date."""
    return {
        **update_metadata(lake, update),
        "features_version": group.version,
        "statistics": dg.MetadataValue.md(statistics_table(statistics)),
    }


def bounds_of(
    group: FeatureGroup, lake: Lake, nights: Nights, session: date
) -> dg.AssetCheckResult:
    """Tell whether what was stored of a group since it was last judged is what formulas can give.

    See `Nights.judged_through` for when all of it is judged.
    """
    table = FEATURE_TABLES[group.name]
    written = unjudged_query(table, lake=lake, nights=nights, session=session)
    rows = table.name if written is None else f"({written})"
    faults = out_of_bounds(group, lake.read(feature_extremes_query(group, table=rows)))
    repeated = lake.read(duplicate_key_query(table, rows=rows)).item()
    return dg.AssetCheckResult(
        passed=not faults and repeated == 0,
        asset_key=group.name,
        check_name=f"{group.name}_are_within_bounds",
        metadata={"out_of_bounds": faults or "none", "repeated_keys": repeated},
    )


def feature_spec(
    group: FeatureGroup,
    description: str,
    *,
    deps: Iterable[dg.AssetsDefinition | str] = (),
) -> dg.AssetSpec:
    """Describe the table of a group, which a step makes together with others."""
    table = FEATURE_TABLES[group.name]
    return dg.AssetSpec(
        table.name,
        description=description,
        group_name=Group.FEATURES.value,
        owners=OWNERS,
        kinds={"ducklake", "sql"},
        deps=[clean_prices, *deps],
        metadata=table_metadata(table),
    )


@dg.multi_asset(
    specs=[
        feature_spec(
            TECHNICAL,
            "Fifteen scale-free features of a symbol's trend, reversal, volatility, range and "
            "volume.",
        ),
        feature_spec(
            INDICATORS,
            "The backend's indicators of a symbol, scale-free, with range-based volatility and "
            "momentum.",
        ),
        feature_spec(
            CROSS_SECTIONS,
            "A symbol's place among all symbols of its session, and its return less the market's.",
        ),
    ],
    can_subset=True,
    pool=LAKE_POOL,
    backfill_policy=ONE_RUN,
)
def signal_features(
    context: dg.AssetExecutionContext, lake: Lake, market: Market, nights: Nights
) -> Iterator[dg.MaterializeResult]:
    """Bring what the signals learn from up to date; what reads alike is read once."""
    night = nights.find(sessions_of_run(context.run.tags, market))[-1]
    asked = {key.to_user_string() for key in context.selected_asset_keys}
    selected = [group for group in SIGNAL_GROUPS if group.name in asked]
    updates = bring_features_up_to_date(lake, selected, night=night)
    for group in selected:
        metadata = derived_metadata(group, lake, updates[group.name], statistics_of(group, lake))
        yield dg.MaterializeResult(
            asset_key=group.name, metadata={**metadata, **feature_metadata(lake, group)}
        )


SIGNAL_FEATURE_NAMES = tuple(group.name for group in SIGNAL_GROUPS)
"""The assets that the signals learn from."""


def _bounds_check(group: FeatureGroup) -> dg.AssetChecksDefinition:
    """Return the check that stops a night whose features their own formulas can't give."""

    @dg.asset_check(
        name=f"{group.name}_are_within_bounds",
        asset=group.name,
        blocking=True,
        description=f"{_BOUNDS_DESCRIPTION} Where not, the night stops before it scores.",
    )
    def within_bounds(
        context: dg.AssetCheckExecutionContext, lake: Lake, market: Market, nights: Nights
    ) -> dg.AssetCheckResult:
        return bounds_of(group, lake, nights, sessions_of_run(context.run.tags, market)[-1])

    return within_bounds


BOUNDS_CHECKS = [_bounds_check(group) for group in SIGNAL_GROUPS]


@table_asset(MARKET_RETURNS, Group.FEATURES, deps=[clean_prices], kinds={"polars"})
def market_returns(
    context: dg.AssetExecutionContext, lake: Lake, market: Market, nights: Nights
) -> dg.MaterializeResult:
    """The market's return of each session: the mean of all symbols' total returns."""
    night = nights.find(sessions_of_run(context.run.tags, market))[-1]
    update = lake.bring_up_to_date(MARKET_RETURNS_DERIVATION, night=night)
    return dg.MaterializeResult(metadata=update_metadata(lake, update))


@table_asset(NEXT_SESSION_LABELS, Group.FEATURES, deps=[clean_prices], kinds={"sql"})
def next_session_labels(
    context: dg.AssetExecutionContext, lake: Lake, market: Market, nights: Nights
) -> dg.MaterializeResult:
    """Total return of each symbol's next session and whether it was above zero."""
    night = nights.find(sessions_of_run(context.run.tags, market))[-1]
    update = lake.bring_up_to_date(NEXT_SESSION_LABELS_DERIVATION, night=night)
    share = lake.read("SELECT avg(is_up::INTEGER) FROM next_session_labels").item()
    return dg.MaterializeResult(
        metadata={**update_metadata(lake, update), "share_up": share if share is not None else 0.0}
    )
