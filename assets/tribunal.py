"""The leak tribunal as a check: before anything is scored, a sample of features is tried."""

import dagster as dg

from assets.feature_versions import feature_versions
from assets.partitions import sessions_of_run
from resources.lake import Lake
from resources.leak_tribunal import judge_features
from resources.market import Market
from resources.nights import Nights


@dg.asset_check(
    asset=feature_versions,
    blocking=True,
    description="On symbols and sessions drawn by the night: changes everything after a session, "
    "and no feature's past may move; computes the newest session from the look-back alone, and it "
    "must equal the store to the bit. Where not, the night stops before it scores.",
)
def features_do_not_look_ahead(
    context: dg.AssetCheckExecutionContext, lake: Lake, market: Market, nights: Nights
) -> dg.AssetCheckResult:
    """Try a sample of every group of features for leaks."""
    night = nights.find(sessions_of_run(context.run.tags, market))[-1]
    verdicts = judge_features(lake, night=night)
    faults = [fault for verdict in verdicts.values() for fault in verdict.faults]
    return dg.AssetCheckResult(
        passed=not faults,
        metadata={
            "groups": len(verdicts),
            "values_compared": sum(verdict.values for verdict in verdicts.values()),
            "faults": faults or "none",
        },
    )
