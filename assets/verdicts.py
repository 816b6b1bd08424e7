"""Verdicts: what people decided of withheld bars in MongoDB, landed in the lake first."""

import dagster as dg

from assets.groups import LAKE_POOL, ONE_RUN, OWNERS, Group
from assets.partitions import sessions_of_run
from assets.reporting import table_metadata
from assets.watchlists import watchlists
from pipelines.anomalies.tables import VERDICTS
from resources.lake import Lake
from resources.market import Market
from resources.nights import Nights
from resources.verdicts import ReviewedVerdicts


@dg.asset(
    group_name=Group.INGEST.value,
    owners=OWNERS,
    kinds={"mongodb", "ducklake"},
    pool=LAKE_POOL,
    deps=[watchlists],
    backfill_policy=ONE_RUN,
    metadata=table_metadata(VERDICTS),
)
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
