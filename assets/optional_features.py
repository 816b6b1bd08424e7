"""The groups of features that no model needs: what the desk is set to compute, in one step.

Groups that are left out are no assets of the desk: one that is never made would fail each backfill
that the UI starts of all assets.
"""

from collections.abc import Iterator, Sequence

import dagster as dg

from assets.feature_report import column_lineage
from assets.features import (
    bounds_of,
    derived_metadata,
    feature_spec,
    market_returns,
    statistics_of,
)
from assets.groups import LAKE_POOL, ONE_RUN, OWNERS, Group
from assets.partitions import sessions_of_run
from assets.quality import clean_prices
from pipelines.derivations import TableUpdate
from pipelines.features.groups import FeatureGroup
from pipelines.features.inputs import reads_market, reads_regimes
from pipelines.regimes.tables import REGIME_STATES
from resources.feature_tables import bring_features_up_to_date
from resources.lake import Lake
from resources.market import Market
from resources.nights import Nights

CHOICE = "optional_features"
"""Made every night, so that what follows the tables can wait for it, whichever are left out."""


def _spec(group: FeatureGroup) -> dg.AssetSpec:
    """Describe the table of a group that a night may leave out."""
    sources: list[dg.AssetsDefinition | str] = []
    if reads_market(group.inputs):
        sources.append(market_returns)
    if reads_regimes(group.inputs):
        # The step then waits for the night's regimes, which are made of clean prices alone.
        sources.append(REGIME_STATES.name)
    return feature_spec(
        group, f"{group.description} Chosen by `NIGHTDESK_FEATURE_GROUPS`.", deps=sources
    )


def optional_features_of(groups: Sequence[FeatureGroup]) -> dg.AssetsDefinition:
    """Return the step that computes chosen groups, each an asset with its check."""

    @dg.multi_asset(
        name=CHOICE,
        specs=[_choice_spec(), *(_spec(group) for group in groups)],
        check_specs=[_check_spec(group) for group in groups],
        can_subset=True,
        pool=LAKE_POOL,
        backfill_policy=ONE_RUN,
    )
    def optional_features(
        context: dg.AssetExecutionContext, lake: Lake, market: Market, nights: Nights
    ) -> Iterator[dg.MaterializeResult]:
        """Bring the chosen groups up to date."""
        night = nights.find(sessions_of_run(context.run.tags, market))[-1]
        asked = {key.to_user_string() for key in context.selected_asset_keys}
        selected = [group for group in groups if group.name in asked]
        updates = bring_features_up_to_date(lake, selected, night=night)
        for group in selected:
            check = bounds_of(group, lake, nights, night.session)
            yield _made(group, lake, updates[group.name], check)
        if CHOICE in asked:
            names = ", ".join(group.name for group in groups)
            yield dg.MaterializeResult(asset_key=CHOICE, metadata={"groups": names or "none"})

    return optional_features


def _choice_spec() -> dg.AssetSpec:
    """Describe what follows the market's returns whichever groups are chosen."""
    return dg.AssetSpec(
        CHOICE,
        description="Which groups of features this desk computes beside those that the signals "
        "learn from.",
        group_name=Group.FEATURES.value,
        owners=OWNERS,
        kinds={"ducklake"},
        deps=[clean_prices, market_returns],
    )


def _check_spec(group: FeatureGroup) -> dg.AssetCheckSpec:
    """Describe the check of a group's table."""
    return dg.AssetCheckSpec(
        f"{group.name}_are_within_bounds",
        asset=group.name,
        description="Every feature lies within what its own formula can give, and no row is "
        "there twice. No model reads it, so the night goes on.",
    )


def _made(
    group: FeatureGroup, lake: Lake, update: TableUpdate, check: dg.AssetCheckResult
) -> dg.MaterializeResult:
    """Tell of a group's table that was brought up to date, with its check."""
    statistics = statistics_of(group, lake)
    lineage = dg.MetadataValue.column_lineage(column_lineage(group))
    return dg.MaterializeResult(
        asset_key=group.name,
        metadata={
            **derived_metadata(group, lake, update, statistics),
            "dagster/column_lineage": lineage,
        },
        check_results=[check],
    )
