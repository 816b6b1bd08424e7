"""Features and labels: what models see of a session, and what the next one brought."""

import dagster as dg

from assets.groups import LAKE_POOL, ONE_RUN, OWNERS, Group
from assets.partitions import sessions_of_run
from assets.quality import clean_prices
from assets.reporting import table_metadata, update_metadata
from pipelines.derivations import duplicate_key_query
from pipelines.features.catalogue import TECHNICAL
from pipelines.features.derivation import TECHNICAL_DERIVATION
from pipelines.features.engine import feature_statistics_query
from pipelines.features.ranges import out_of_bounds, statistics_table
from pipelines.label_derivation import NEXT_SESSION_LABELS_DERIVATION
from pipelines.tables import NEXT_SESSION_LABELS, TECHNICAL_FEATURES
from resources.lake import Lake
from resources.market import Market
from resources.nights import Nights


@dg.asset(
    group_name=Group.FEATURES,
    owners=OWNERS,
    kinds={"ducklake", "sql"},
    pool=LAKE_POOL,
    deps=[clean_prices],
    backfill_policy=ONE_RUN,
    metadata=table_metadata(TECHNICAL_FEATURES),
)
def technical_features(
    context: dg.AssetExecutionContext, lake: Lake, market: Market, nights: Nights
) -> dg.MaterializeResult:
    """Fifteen scale-free features of a symbol's trend, reversal, volatility, range and volume."""
    night = nights.find(sessions_of_run(context.run.tags, market))[-1]
    update = lake.bring_up_to_date(TECHNICAL_DERIVATION, night=night)
    statistics = lake.read(feature_statistics_query(TECHNICAL, table=TECHNICAL_FEATURES.name))
    return dg.MaterializeResult(
        metadata={
            **update_metadata(lake, update),
            "statistics": dg.MetadataValue.md(statistics_table(statistics)),
        }
    )


@dg.asset(
    group_name=Group.FEATURES,
    owners=OWNERS,
    kinds={"ducklake", "sql"},
    pool=LAKE_POOL,
    deps=[clean_prices],
    backfill_policy=ONE_RUN,
    metadata=table_metadata(NEXT_SESSION_LABELS),
)
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


@dg.asset_check(
    asset=technical_features, blocking=True, description="Features lie within their known bounds."
)
def technical_features_are_within_bounds(lake: Lake) -> dg.AssetCheckResult:
    """Refuse features that their own formula can't give, and rows that are there twice."""
    statistics = lake.read(feature_statistics_query(TECHNICAL, table=TECHNICAL_FEATURES.name))
    faults = out_of_bounds(TECHNICAL, statistics)
    repeated = lake.read(duplicate_key_query(TECHNICAL_FEATURES)).item()
    return dg.AssetCheckResult(
        passed=not faults and repeated == 0,
        metadata={"out_of_bounds": faults, "repeated_keys": repeated},
    )
