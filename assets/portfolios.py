"""Portfolios: what there is to forecast, landed in the lake, and what it was worth."""

import dagster as dg

from assets.groups import Group
from assets.partitions import sessions_of_run
from assets.quality import clean_prices
from assets.reporting import counts_metadata, update_counts
from assets.tables import table_asset
from assets.watchlists import watchlists
from pipelines.forecasts.tables import PORTFOLIO_EQUITY, PORTFOLIOS
from resources.lake import Lake
from resources.market import Market
from resources.nights import Nights
from resources.portfolios import Portfolios


@table_asset(PORTFOLIOS, Group.FORECASTS, deps=[watchlists], kinds={"mongodb"})
def portfolios(
    context: dg.AssetExecutionContext, market: Market, nights: Nights, portfolios: Portfolios
) -> dg.MaterializeResult:
    """Watchlists, backtests and executions of the backend, and portfolios of the file.

    A recorded market adds its universe in equal parts: a new desk has something to forecast.
    """
    night = nights.find(sessions_of_run(context.run.tags, market))[-1]
    faults = portfolios.land(night=night)
    landed = portfolios.landed()
    faults += [f"{one.portfolio_id}: {one.message}" for one in landed if one.reason]
    for fault in faults:
        context.log.warning(fault)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(landed),
            "portfolios": ", ".join(one.portfolio_id for one in landed) or "none",
            "faults": faults or "none",
        }
    )


@table_asset(PORTFOLIO_EQUITY, Group.FORECASTS, deps=[portfolios, clean_prices], kinds={"numpy"})
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
