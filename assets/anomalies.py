"""Anomalies by statistics: how unusual every bar is, and which of them a person is shown."""

import dagster as dg

from assets.detector_report import scoring_metadata
from assets.groups import Group
from assets.partitions import sessions_of_run
from assets.quality import clean_prices, price_anomalies, quarantined_prices
from assets.reporting import held_metadata
from assets.tables import table_asset
from assets.verdicts import reviewed_verdicts
from pipelines.anomalies.tables import BAR_SCORES
from resources.bar_scoring import BarScoring
from resources.lake import Lake
from resources.market import Market
from resources.nights import Nights


@table_asset(
    BAR_SCORES,
    Group.QUALITY,
    deps=[reviewed_verdicts, price_anomalies, quarantined_prices, clean_prices],
    kinds={"scikitlearn"},
)
def bar_scores(
    context: dg.AssetExecutionContext,
    lake: Lake,
    market: Market,
    nights: Nights,
    bar_scoring: BarScoring,
) -> dg.MaterializeResult:
    """How unusual each bar is beside its symbol's past and the market of its session.

    Isolation Forest, ECOD, volume and, for suspects, Prophet, by fits on earlier bars alone; alerts
    within the night's budget. Unusual is not wrong: nothing is withheld for it.
    """
    sessions = sessions_of_run(context.run.tags, market)
    night = nights.find(sessions)[-1]
    report = bar_scoring.bring_up_to_date(night=night, sessions=sessions, progress=context.log.info)
    return dg.MaterializeResult(
        metadata={
            **scoring_metadata(
                report, bar_scoring.state(night=night), bar_scoring.alerts(sessions)
            ),
            **held_metadata(lake, BAR_SCORES.name),
        }
    )
