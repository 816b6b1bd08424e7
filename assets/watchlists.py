"""Watchlists: an input that lives in the backend's MongoDB, landed in the lake first."""

import dagster as dg

from assets.groups import Group
from assets.partitions import sessions_of_run
from assets.tables import table_asset
from pipelines.tables import WATCHLISTS
from resources.market import Market
from resources.nights import Nights
from resources.watchlists import Watchlists


@table_asset(WATCHLISTS, Group.INGEST, kinds={"mongodb"})
def watchlists(
    context: dg.AssetExecutionContext, market: Market, nights: Nights, watchlists: Watchlists
) -> dg.MaterializeResult:
    """Symbols that the backend's users watch: they join the universe and are refreshed first.

    Opens the night: fixes the instant it is seen from.
    """
    night = nights.open(sessions_of_run(context.run.tags, market))[-1]
    watched = watchlists.land(night=night)
    for fault in watched.faults:
        context.log.warning(fault)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(watched.symbols),
            "symbols": ", ".join(watched.symbols) or "none",
            "faults": list(watched.faults) or "none",
        }
    )
