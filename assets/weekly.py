"""Weekly bars of the vendor, and what of them its own daily bars contradict."""

import dagster as dg

from assets.groups import LAKE_POOL, ONE_RUN, OWNERS, Group
from assets.ingest import daily_prices, vendor_responses
from assets.partitions import sessions_of_run
from assets.reporting import table_metadata, update_metadata
from pipelines.anomalies.tables import WEEKLY_ANOMALIES
from pipelines.anomalies.weekly_derivation import WEEKLY_ANOMALIES_DERIVATION
from pipelines.tables import WEEKLY_PRICES
from resources.lake import Lake
from resources.market import Market
from resources.nights import Nights
from resources.weekly_ingestion import ingest_weekly_prices


@dg.asset(
    group_name=Group.INGEST.value,
    owners=OWNERS,
    kinds={"ducklake"},
    pool=LAKE_POOL,
    deps=[vendor_responses],
    backfill_policy=ONE_RUN,
    metadata=table_metadata(WEEKLY_PRICES),
)
def weekly_prices(
    context: dg.AssetExecutionContext, lake: Lake, market: Market, nights: Nights
) -> dg.MaterializeResult:
    """Weekly bars as the vendor last sent them; this week's stands under its latest session.

    Asked for weekly, on a free key monthly and from what the day's budget has left.
    """
    night = nights.find(sessions_of_run(context.run.tags, market))[-1]
    update = ingest_weekly_prices(lake, night=night, calendar=market.calendar)
    return dg.MaterializeResult(metadata=update_metadata(lake, update))


@dg.asset(
    group_name=Group.QUALITY.value,
    owners=OWNERS,
    kinds={"ducklake", "polars"},
    pool=LAKE_POOL,
    deps=[weekly_prices, daily_prices],
    backfill_policy=ONE_RUN,
    metadata=table_metadata(WEEKLY_ANOMALIES),
)
def weekly_anomalies(
    context: dg.AssetExecutionContext, lake: Lake, market: Market, nights: Nights
) -> dg.MaterializeResult:
    """Weekly bars that do not agree with the daily bars of their week; they withhold nothing."""
    night = nights.find(sessions_of_run(context.run.tags, market))[-1]
    update = lake.bring_up_to_date(WEEKLY_ANOMALIES_DERIVATION, night=night)
    return dg.MaterializeResult(metadata=update_metadata(lake, update))
