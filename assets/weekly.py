"""Weekly bars of the vendor, and what of them its own daily bars contradict."""

import dagster as dg

from assets.groups import Group
from assets.ingest import daily_prices, vendor_responses
from assets.partitions import sessions_of_run
from assets.reporting import update_metadata
from assets.tables import table_asset
from pipelines.anomalies.tables import WEEKLY_ANOMALIES
from pipelines.anomalies.weekly_derivation import WEEKLY_ANOMALIES_DERIVATION
from pipelines.tables import WEEKLY_PRICES
from resources.lake import Lake
from resources.market import Market
from resources.nights import Nights
from resources.weekly_ingestion import ingest_weekly_prices


@table_asset(WEEKLY_PRICES, Group.INGEST, deps=[vendor_responses])
def weekly_prices(
    context: dg.AssetExecutionContext, lake: Lake, market: Market, nights: Nights
) -> dg.MaterializeResult:
    """Weekly bars as the vendor last sent them; this week's stands under its latest session.

    Asked for weekly, on a free key monthly and from what the day's budget has left.
    """
    night = nights.find(sessions_of_run(context.run.tags, market))[-1]
    update = ingest_weekly_prices(lake, night=night, calendar=market.calendar)
    return dg.MaterializeResult(metadata=update_metadata(lake, update))


@table_asset(WEEKLY_ANOMALIES, Group.QUALITY, deps=[weekly_prices, daily_prices], kinds={"polars"})
def weekly_anomalies(
    context: dg.AssetExecutionContext, lake: Lake, market: Market, nights: Nights
) -> dg.MaterializeResult:
    """Weekly bars that do not agree with the daily bars of their week; they withhold nothing."""
    night = nights.find(sessions_of_run(context.run.tags, market))[-1]
    update = lake.bring_up_to_date(WEEKLY_ANOMALIES_DERIVATION, night=night)
    return dg.MaterializeResult(metadata=update_metadata(lake, update))
