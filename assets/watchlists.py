"""Watchlists: an input that lives in the backend's MongoDB, landed in the lake first."""

import dagster as dg

from assets.groups import LAKE_POOL, ONE_RUN, OWNERS, Group
from assets.partitions import sessions_of_run
from assets.reporting import table_metadata
from pipelines.tables import WATCHLISTS
from resources.market import Market
from resources.nights import Nights
from resources.watchlists import Watchlists


@dg.asset(
    group_name=Group.INGEST.value,
    owners=OWNERS,
    kinds={"mongodb", "ducklake"},
    pool=LAKE_POOL,
    backfill_policy=ONE_RUN,
    metadata=table_metadata(WATCHLISTS),
)
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
