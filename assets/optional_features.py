"""The groups of features that no model needs: what the desk is set to compute, in one step."""

from collections.abc import Iterator

import dagster as dg

from assets.feature_report import column_lineage
from assets.features import (
    bounds_of,
    derived_metadata,
    market_returns,
    no_rows_of,
    statistics_of,
)
from assets.groups import LAKE_POOL, ONE_RUN, OWNERS, Group
from assets.partitions import sessions_of_run
from assets.quality import clean_prices
from assets.reporting import table_metadata
from pipelines.features.choice import OPTIONAL_GROUPS
from pipelines.features.groups import FeatureGroup
from pipelines.features.inputs import reads_market
from pipelines.tables import FEATURE_TABLES
from pipelines.views import filled_tables_query
from resources.feature_choice import FeatureChoice
from resources.feature_tables import bring_features_up_to_date
from resources.lake import Lake
from resources.market import Market
from resources.nights import Nights

CHOICE = "optional_features"
"""Made every night, so that what follows the tables can wait for it, whichever are left out."""


def _spec(group: FeatureGroup) -> dg.AssetSpec:
    """Describe the table of a group that a night may leave out."""
    table = FEATURE_TABLES[group.name]
    return dg.AssetSpec(
        table.name,
        description=f"{group.description} Computed where `NIGHTDESK_FEATURE_GROUPS` names it.",
        group_name=Group.FEATURES.value,
        owners=OWNERS,
        kinds={"ducklake", "sql"},
        deps=[clean_prices, *((market_returns,) if reads_market(group.inputs) else ())],
        metadata=table_metadata(table),
        skippable=True,
    )


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            CHOICE,
            description="Which groups of features this desk computes beside those that the signals "
            "learn from.",
            group_name=Group.FEATURES.value,
            owners=OWNERS,
            kinds={"ducklake"},
            deps=[clean_prices, market_returns],
        ),
        *(_spec(group) for group in OPTIONAL_GROUPS),
    ],
    check_specs=[
        dg.AssetCheckSpec(
            f"{group.name}_are_within_bounds",
            asset=group.name,
            description="Every feature lies within what its own formula can give, and no row is "
            "there twice. No model reads it, so the night goes on.",
        )
        for group in OPTIONAL_GROUPS
    ],
    can_subset=True,
    pool=LAKE_POOL,
    backfill_policy=ONE_RUN,
)
def optional_features(
    context: dg.AssetExecutionContext,
    lake: Lake,
    market: Market,
    nights: Nights,
    feature_choice: FeatureChoice,
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """Bring the chosen groups up to date, each a table with its check."""
    night = nights.find(sessions_of_run(context.run.tags, market))[-1]
    asked = {key.to_user_string() for key in context.selected_asset_keys}
    chosen = [group for group in feature_choice.optional_groups() if group.name in asked]
    updates = bring_features_up_to_date(lake, chosen, night=night)
    for group in chosen:
        statistics = statistics_of(group, lake)
        metadata = derived_metadata(group, lake, updates[group.name], statistics)
        lineage = dg.MetadataValue.column_lineage(column_lineage(group))
        yield dg.MaterializeResult(
            asset_key=group.name,
            metadata={**metadata, "dagster/column_lineage": lineage},
            check_results=[bounds_of(group, lake, statistics)],
        )
    held = set(lake.read(filled_tables_query()).to_series())
    for group in OPTIONAL_GROUPS:
        if group.name in asked and group not in chosen:  # what it held before, or nothing
            is_held = group.name in held
            yield (
                bounds_of(group, lake, statistics_of(group, lake)) if is_held else no_rows_of(group)
            )
    if CHOICE in asked:
        names = ", ".join(group.name for group in chosen)
        yield dg.MaterializeResult(asset_key=CHOICE, metadata={"groups": names or "none"})
