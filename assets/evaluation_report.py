"""The evaluation report: what a person reads before trusting a model."""

import dagster as dg

from assets.evaluations import evaluations
from assets.groups import ONE_RUN, OWNERS, Group
from assets.partitions import sessions_of_run
from resources.evaluation_reports import EvaluationReports
from resources.lake import Lake
from resources.market import Market
from resources.nights import Nights


@dg.asset(
    group_name=Group.EVALUATION.value,
    owners=OWNERS,
    kinds={"html"},
    deps=[evaluations],
    backfill_policy=ONE_RUN,
)
def evaluation_report(
    context: dg.AssetExecutionContext,
    lake: Lake,
    market: Market,
    nights: Nights,
    evaluation_reports: EvaluationReports,
) -> dg.MaterializeResult:
    """Verdicts, curves, baselines, features and groups of every scenario: one HTML page."""
    night = nights.find(sessions_of_run(context.run.tags, market))[-1]
    page = evaluation_reports.write(lake, night)
    return dg.MaterializeResult(
        metadata={
            "page": dg.MetadataValue.path(str(page)),
            "size": f"{page.stat().st_size / 1024:.0f} KiB",
        }
    )
