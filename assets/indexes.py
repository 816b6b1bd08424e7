"""Indexes: the level of whole markets and of implied volatility, beside the bars of symbols."""

import dagster as dg

from assets.groups import Group
from assets.ingest import vendor_responses
from assets.partitions import sessions_of_run
from assets.reporting import update_metadata
from assets.tables import table_asset
from pipelines.prices.indexes import index_faults
from pipelines.tables import INDEX_PRICES
from resources.index_ingestion import ingest_indexes
from resources.lake import Lake
from resources.market import Market
from resources.nights import Nights


@table_asset(INDEX_PRICES, Group.INGEST, deps=[vendor_responses])
def index_prices(
    context: dg.AssetExecutionContext, lake: Lake, market: Market, nights: Nights
) -> dg.MaterializeResult:
    """Daily levels of S&P 500, Nasdaq and VIX as the vendor last sent them.

    Empty on a free key, which may not ask for them.
    """
    night = nights.find(sessions_of_run(context.run.tags, market))[-1]
    done = ingest_indexes(lake, night=night, calendar=market.calendar)
    return dg.MaterializeResult(
        metadata={**update_metadata(lake, done.update), "not_taken": done.refused or "none"}
    )


@dg.asset_check(
    asset=index_prices,
    description="Warns where an index ends before the newest session, or moves beyond belief.",
)
def indexes_are_current(lake: Lake) -> dg.AssetCheckResult:
    """Warn of indexes that a person should look at; nothing waits for them."""
    newest = lake.read("SELECT max(session) FROM exchange_sessions").item()
    faults = index_faults(lake.read("SELECT * FROM index_prices"), newest)
    return dg.AssetCheckResult(
        passed=not faults,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"newest_session": str(newest), "faults": faults or "none"},
    )
