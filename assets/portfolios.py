"""Portfolios: what there is to forecast, landed in the lake before the vendor is asked."""

import dagster as dg

from assets.groups import Group
from assets.partitions import sessions_of_run
from assets.tables import table_asset
from assets.watchlists import watchlists
from pipelines.forecasts.tables import PORTFOLIOS
from resources.market import Market
from resources.nights import Nights
from resources.portfolios import Portfolios


@table_asset(PORTFOLIOS, Group.INGEST, deps=[watchlists], kinds={"mongodb"})
def portfolios(
    context: dg.AssetExecutionContext, market: Market, nights: Nights, portfolios: Portfolios
) -> dg.MaterializeResult:
    """Watchlists, backtests and executions of the backend, and portfolios of the file.

    Their symbols join the universe as watched ones do. A recorded market adds its universe in equal
    parts: a new desk has something to forecast.
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
