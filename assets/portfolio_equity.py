"""What portfolios were worth, session by session."""

import dagster as dg

from assets.groups import Group
from assets.partitions import sessions_of_run
from assets.portfolios import portfolios as landed_portfolios
from assets.quality import clean_prices
from assets.reporting import counts_metadata, update_counts
from assets.tables import table_asset
from pipelines.forecasts.tables import PORTFOLIO_EQUITY
from resources.lake import Lake
from resources.market import Market
from resources.nights import Nights
from resources.portfolios import Portfolios


@table_asset(
    PORTFOLIO_EQUITY, Group.FORECASTS, deps=[landed_portfolios, clean_prices], kinds={"numpy"}
)
def portfolio_equity(
    context: dg.AssetExecutionContext,
    lake: Lake,
    market: Market,
    nights: Nights,
    portfolios: Portfolios,
) -> dg.MaterializeResult:
    """Value of each portfolio at each session, by total returns of clean prices."""
    night = nights.find(sessions_of_run(context.run.tags, market))[-1]
    update, faults = portfolios.mark(night=night)
    for portfolio_id, error in faults.items():
        context.log.warning(f"{portfolio_id} has no value: {error}")
    return dg.MaterializeResult(
        metadata={
            **update_counts(lake, update),
            "portfolios_without_values": counts_metadata(dict.fromkeys(faults, 1)),
        }
    )
