"""Publishing: what the backend reads, and the manifest that says how it came to be."""

import dagster as dg

from assets.groups import LAKE_POOL
from assets.model_drift import published_drift
from assets.partitions import sessions_of_run
from assets.published import published_asset
from assets.published_anomalies import (
    published_anomalies,
    published_quality_summaries,
    published_quarantine,
)
from assets.published_forecasts import (
    published_portfolio_equity,
    published_portfolio_forecasts,
)
from assets.published_models import published_models
from assets.published_prices import published_coverage
from assets.published_registry import published_registry
from assets.published_track_record import published_outcomes, published_track_records
from assets.regimes import published_regimes
from assets.reporting import publishing_metadata
from assets.signal_changes import signal_changes
from assets.signals import signal_scores
from assets.track_record import track_records
from pipelines.anomalies.tables import QUARANTINED_PRICES
from pipelines.documents.pipeline_run import PipelineRun
from pipelines.documents.signal import MLSignal
from pipelines.features.catalogue import SIGNAL_GROUPS
from pipelines.features.groups import longest_look_back
from pipelines.lifecycle.tables import TRACK_RECORDS
from pipelines.lifecycle.track_record import live_records
from pipelines.manifest import manifests
from pipelines.signals.changes import change_documents
from pipelines.signals.nightly import signal_documents, signal_scope
from pipelines.signals.settings import SignalSettings
from pipelines.tables import SIGNAL_CHANGES, SIGNAL_SCORES
from resources.lake import Lake
from resources.manifest_counts import published_by
from resources.market import Market
from resources.model_registry import ModelRegistry
from resources.nights import Nights
from resources.provenance import provenance
from resources.serving import Serving


@published_asset(
    [signal_scores, signal_changes, track_records],
    by_session=True,
)
def published_signals(
    context: dg.AssetExecutionContext,
    lake: Lake,
    market: Market,
    nights: Nights,
    model_registry: ModelRegistry,
    serving: Serving,
) -> dg.MaterializeResult:
    """Each symbol's signal in `ml_signals`, with its model's track record, or why there is none."""
    sessions = sessions_of_run(context.run.tags, market)
    tonight = nights.find(sessions)
    scores = lake.of_sessions(SIGNAL_SCORES, sessions)
    serving.ensure_indexes([MLSignal])
    report = serving.reconcile(
        MLSignal,
        signal_documents(
            scores,
            tonight,
            track_records=model_registry.track_records(scores["model_version"]),
            live_records=live_records(lake.of_sessions(TRACK_RECORDS, sessions)),
            look_back_sessions=longest_look_back(SIGNAL_GROUPS),
            changes=change_documents(lake.of_sessions(SIGNAL_CHANGES, sessions)),
        ),
        scope=signal_scope(tonight),
        as_of=tonight[-1].as_of,
    )
    return dg.MaterializeResult(metadata=publishing_metadata(report))


@published_asset(
    [
        *(published_coverage, published_signals, published_regimes),  # and so all prices
        *(published_portfolio_forecasts, published_portfolio_equity),
        *(published_anomalies, published_quarantine, published_quality_summaries),
        *(published_outcomes, published_track_records, published_models, published_drift),
        published_registry,
    ],
    by_session=True,
    pool=LAKE_POOL,
)
def night_manifest(
    context: dg.AssetExecutionContext, lake: Lake, market: Market, nights: Nights, serving: Serving
) -> dg.MaterializeResult:
    """What each night published, from which data and code, in `pipeline_runs`; written last."""
    sessions = sessions_of_run(context.run.tags, market)
    tonight = nights.find(sessions)
    serving.ensure_indexes([PipelineRun])
    documents = [
        *manifests(
            tonight,
            scores=lake.of_sessions(SIGNAL_SCORES, sessions),
            quarantined=lake.of_sessions(QUARANTINED_PRICES, sessions),
            snapshots=nights.fix_snapshots(tonight),
            published=published_by(serving, newest=nights.newest_published(), told=nights.told),
            provenance=provenance(SignalSettings()),
            run_id=context.run.run_id,
        )
    ]
    report = serving.reconcile(
        PipelineRun,
        documents,
        scope={"night_id": [night.night_id for night in tonight]},
        as_of=tonight[-1].as_of,
    )
    nights.note_published(tonight, documents)
    return dg.MaterializeResult(metadata=publishing_metadata(report))
