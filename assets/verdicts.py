"""Verdicts: what people decided of withheld bars in MongoDB, landed in the lake first."""

import dagster as dg

from assets.groups import Group
from assets.partitions import sessions_of_run
from assets.tables import table_asset
from assets.watchlists import watchlists
from pipelines.anomalies.tables import VERDICTS
from resources.lake import Lake
from resources.market import Market
from resources.nights import Nights
from resources.verdicts import ReviewedVerdicts


@table_asset(VERDICTS, Group.INGEST, deps=[watchlists], kinds={"mongodb"})
def reviewed_verdicts(
    context: dg.AssetExecutionContext,
    lake: Lake,
    market: Market,
    nights: Nights,
    verdicts: ReviewedVerdicts,
) -> dg.MaterializeResult:
    """Releases and confirmations of withheld bars, as people wrote them; only ever added to."""
    night = nights.open(sessions_of_run(context.run.tags, market))[-1]
    landed = verdicts.land(night=night)
    for fault in landed.faults:
        context.log.warning(fault)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": lake.read("SELECT count(*) FROM verdicts").item(),
            "landed": [
                f"{one.symbol} {one.session}, revision {one.revision}: {one.resolution}"
                for one in landed.verdicts
            ]
            or "none",
            "faults": list(landed.faults) or "none",
        }
    )
