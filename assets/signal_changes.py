"""What changed since the night before, symbol by symbol."""

import dagster as dg

from assets.groups import Group
from assets.partitions import sessions_of_run
from assets.signals import signal_scores
from assets.tables import table_asset
from pipelines.tables import SIGNAL_CHANGES
from resources.lake import Lake
from resources.market import Market
from resources.model_registry import ModelRegistry
from resources.nights import Nights
from resources.signal_changes import keep_changes


@table_asset(
    SIGNAL_CHANGES, Group.SIGNALS, deps=[signal_scores], kinds={"lightgbm"}, by_session=True
)
def signal_changes(
    context: dg.AssetExecutionContext,
    lake: Lake,
    market: Market,
    nights: Nights,
    model_registry: ModelRegistry,
) -> dg.MaterializeResult:
    """What moved each probability since the session before: revision, bar, model, calibration.

    Scored again from the features as the former night had them, as they are now, and tonight's;
    where a night abstains there is nothing to tell.
    """
    tonight = nights.find(sessions_of_run(context.run.tags, market))
    told = keep_changes(lake, model_registry, nights=tonight, calendar=market.calendar)
    return dg.MaterializeResult(
        metadata={
            "dagster/partition_row_count": told.height,
            "moved_by_revisions": told.filter(told["data_revision"] != 0).height,
        }
    )
