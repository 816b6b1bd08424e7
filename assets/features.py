"""Features and labels: what models see of a session, and what the next one brought."""

from typing import Any

import dagster as dg
import polars as pl

from assets.feature_report import feature_metadata
from assets.groups import Group
from assets.partitions import sessions_of_run
from assets.quality import clean_prices
from assets.reporting import update_metadata
from assets.tables import table_asset
from pipelines.derivations import TableUpdate, duplicate_key_query
from pipelines.features.cross_sections import CROSS_SECTIONS
from pipelines.features.derivation import FEATURE_DERIVATIONS
from pipelines.features.engine import feature_statistics_query
from pipelines.features.groups import FeatureGroup
from pipelines.features.indicators import INDICATORS
from pipelines.features.market_returns import MARKET_RETURNS_DERIVATION
from pipelines.features.ranges import out_of_bounds, statistics_table
from pipelines.features.technical import TECHNICAL
from pipelines.label_derivation import NEXT_SESSION_LABELS_DERIVATION
from pipelines.tables import FEATURE_TABLES, MARKET_RETURNS, NEXT_SESSION_LABELS
from resources.lake import Lake
from resources.market import Market
from resources.nights import Nights

_BOUNDS_DESCRIPTION = (
    "Every feature lies within what its own formula can give, and no row is there twice."
)


def _feature_asset(group: FeatureGroup, description: str) -> dg.AssetsDefinition:
    """Return the asset of a group's table."""
    table = FEATURE_TABLES[group.name]

    @table_asset(
        table,
        Group.FEATURES,
        deps=[clean_prices],
        kinds={"sql"},
        name=table.name,
        description=description,
    )
    def features(
        context: dg.AssetExecutionContext, lake: Lake, market: Market, nights: Nights
    ) -> dg.MaterializeResult:
        night = nights.find(sessions_of_run(context.run.tags, market))[-1]
        update = lake.bring_up_to_date(FEATURE_DERIVATIONS[group.name], night=night)
        metadata = derived_metadata(group, lake, update, statistics_of(group, lake))
        return dg.MaterializeResult(metadata={**metadata, **feature_metadata(lake, group)})

    return features


def statistics_of(group: FeatureGroup, lake: Lake) -> pl.DataFrame:
    """Return how the values of a group's table are spread, one row a feature."""
    return lake.read(feature_statistics_query(group, table=group.name))


def derived_metadata(
    group: FeatureGroup, lake: Lake, update: TableUpdate, statistics: pl.DataFrame
) -> dict[str, Any]:
    """Return what to report of a group's table that was brought up to date."""
    return {
        **update_metadata(lake, update),
        "features_version": group.version,
        "statistics": dg.MetadataValue.md(statistics_table(statistics)),
    }


def bounds_of(group: FeatureGroup, lake: Lake, statistics: pl.DataFrame) -> dg.AssetCheckResult:
    """Tell whether a stored group is what its own formulas can give."""
    faults = out_of_bounds(group, statistics)
    repeated = lake.read(duplicate_key_query(FEATURE_TABLES[group.name])).item()
    return dg.AssetCheckResult(
        passed=not faults and repeated == 0,
        asset_key=group.name,
        check_name=f"{group.name}_are_within_bounds",
        metadata={"out_of_bounds": faults or "none", "repeated_keys": repeated},
    )


def _bounds_check(group: FeatureGroup, asset: dg.AssetsDefinition) -> dg.AssetChecksDefinition:
    """Return the check that stops a night whose features their own formulas can't give."""

    @dg.asset_check(
        name=f"{group.name}_are_within_bounds",
        asset=asset,
        blocking=True,
        description=f"{_BOUNDS_DESCRIPTION} Where not, the night stops before it scores.",
    )
    def within_bounds(lake: Lake) -> dg.AssetCheckResult:
        return bounds_of(group, lake, statistics_of(group, lake))

    return within_bounds


technical_features = _feature_asset(
    TECHNICAL,
    "Fifteen scale-free features of a symbol's trend, reversal, volatility, range and volume.",
)
technical_features_are_within_bounds = _bounds_check(TECHNICAL, technical_features)

indicator_features = _feature_asset(
    INDICATORS,
    "The backend's indicators of a symbol, scale-free, with range-based volatility and momentum.",
)
indicator_features_are_within_bounds = _bounds_check(INDICATORS, indicator_features)

cross_section_features = _feature_asset(
    CROSS_SECTIONS,
    "A symbol's place among all symbols of its session, and its return less the market's.",
)
cross_section_features_are_within_bounds = _bounds_check(CROSS_SECTIONS, cross_section_features)

SIGNAL_FEATURE_ASSETS = (technical_features, indicator_features, cross_section_features)
"""What the signals learn from."""


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
