"""What is wrong with the data, for dashboards and people: events, withheld bars, calls."""

import dagster as dg

from assets.anomalies import bar_scores
from assets.groups import Group
from assets.partitions import sessions_of_run
from assets.published import published_asset
from assets.quality import clean_prices, price_anomalies, quarantined_prices
from assets.quality_report import calls_metadata, sightings_metadata, summary_metadata
from assets.reporting import picture_metadata, publishing_metadata
from assets.tables import table_asset
from assets.weekly import weekly_anomalies
from pipelines.anomalies.tables import ANOMALY_CALLS, ANOMALY_SIGHTINGS
from pipelines.documents.quality_summary import DataQualitySummary
from resources.anomaly_calls import call_about_anomalies
from resources.anomaly_sightings import note_sightings
from resources.lake import Lake
from resources.market import Market
from resources.nights import Nights
from resources.quality_summaries import quality_summaries, recent_anomalies
from resources.serving import Serving
from resources.webhook import Webhook


@table_asset(
    ANOMALY_SIGHTINGS,
    Group.QUALITY,
    deps=[price_anomalies, weekly_anomalies, quarantined_prices, clean_prices, bar_scores],
    kinds={"sql"},
)
def anomaly_sightings(
    context: dg.AssetExecutionContext, lake: Lake, market: Market, nights: Nights
) -> dg.MaterializeResult:
    """Each anomaly of bars, bodies and scores as it was first seen, and when; never forgotten."""
    from pipelines.anomalies.plots import severity_plot

    night = nights.find(sessions_of_run(context.run.tags, market))[-1]
    sightings = note_sightings(lake, night=night)
    return dg.MaterializeResult(
        metadata={
            **sightings_metadata(sightings.rows, newly_withheld=sightings.newly_withheld),
            "plot": picture_metadata(severity_plot(recent_anomalies(lake, night.session))),
        }
    )


@published_asset(
    [anomaly_sightings],
)
def published_anomalies(
    context: dg.AssetExecutionContext,
    lake: Lake,
    market: Market,
    nights: Nights,
    serving: Serving,
) -> dg.MaterializeResult:
    """Anomalies of medium severity and above, and explained moves, in `data_quality_events`.

    Events are never taken back: their `metadata.status` says what became of them.
    """
    from resources.anomaly_publishing import EVENTS, publish_trail

    night = nights.find(sessions_of_run(context.run.tags, market))[-1]
    report = publish_trail(
        EVENTS, lake=lake, serving=serving, source=market.name, as_of=night.as_of
    )
    return dg.MaterializeResult(metadata=publishing_metadata(report))


@published_asset(
    [anomaly_sightings],
)
def published_quarantine(
    context: dg.AssetExecutionContext,
    lake: Lake,
    market: Market,
    nights: Nights,
    serving: Serving,
) -> dg.MaterializeResult:
    """Bars that are or were withheld in `quarantined_prices`, where people release or confirm."""
    from resources.anomaly_publishing import QUARANTINE, publish_trail

    night = nights.find(sessions_of_run(context.run.tags, market))[-1]
    report = publish_trail(
        QUARANTINE, lake=lake, serving=serving, source=market.name, as_of=night.as_of
    )
    return dg.MaterializeResult(metadata=publishing_metadata(report))


@published_asset(
    [anomaly_sightings],
    by_session=True,
)
def published_quality_summaries(
    context: dg.AssetExecutionContext,
    lake: Lake,
    market: Market,
    nights: Nights,
    serving: Serving,
) -> dg.MaterializeResult:
    """The quality of each night's data in figures, in `data_quality_summaries`."""
    tonight = nights.join(sessions_of_run(context.run.tags, market))
    documents = list(quality_summaries(lake, tonight))
    serving.ensure_indexes([DataQualitySummary])
    report = serving.reconcile(
        DataQualitySummary,
        documents,
        scope={"night_id": [night.night_id for night in tonight]},
        as_of=tonight[-1].as_of,
    )
    return dg.MaterializeResult(
        metadata={**publishing_metadata(report), **summary_metadata(documents[-1])}
    )


@table_asset(ANOMALY_CALLS, Group.PUBLISHING, deps=[published_anomalies])
def anomaly_calls(
    context: dg.AssetExecutionContext,
    lake: Lake,
    market: Market,
    nights: Nights,
    anomaly_webhook: Webhook,
) -> dg.MaterializeResult:
    """Anomalies of high and critical severity that the webhook was told of, each of them once.

    Where no one answers, the night goes on and the next one calls again.
    """
    night = nights.find(sessions_of_run(context.run.tags, market))[-1]
    report = call_about_anomalies(lake, anomaly_webhook, night=night)
    if report.fault:
        context.log.warning(f"{report.waiting} grave anomalies wait to be told: {report.fault}")
    return dg.MaterializeResult(metadata=calls_metadata(report))
