"""Publishing: what the backend reads, and the manifest that says how it came to be."""

import dagster as dg

from assets.groups import LAKE_POOL, ONE_RUN, OWNERS, SERVING_POOL, Group
from assets.partitions import SESSIONS, sessions_of_run
from assets.published_prices import published_coverage
from assets.reporting import publishing_metadata
from assets.signals import signal_scores
from pipelines.documents.daily_price import DailyPrice, session_scope
from pipelines.documents.pipeline_run import PipelineRun
from pipelines.documents.signal import MLSignal
from pipelines.features.catalogue import GROUPS
from pipelines.features.groups import longest_look_back
from pipelines.manifest import manifests
from pipelines.signals.nightly import signal_documents, signal_scope
from pipelines.signals.settings import SignalSettings
from pipelines.tables import QUARANTINED_PRICES, SIGNAL_SCORES
from resources.lake import Lake
from resources.market import Market
from resources.model_registry import ModelRegistry
from resources.nights import Nights
from resources.provenance import provenance
from resources.serving import Serving


@dg.asset(
    group_name=Group.PUBLISHING.value,
    owners=OWNERS,
    kinds={"mongodb"},
    pool=SERVING_POOL,
    deps=[signal_scores],
    partitions_def=SESSIONS,
    backfill_policy=ONE_RUN,
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
            look_back_sessions=longest_look_back(GROUPS),
        ),
        scope=signal_scope(tonight),
        as_of=tonight[-1].as_of,
    )
    return dg.MaterializeResult(metadata=publishing_metadata(report))


@dg.asset(
    group_name=Group.PUBLISHING.value,
    owners=OWNERS,
    kinds={"mongodb"},
    pool=LAKE_POOL,
    deps=[published_coverage, published_signals],  # and so all prices
    partitions_def=SESSIONS,
    backfill_policy=ONE_RUN,
)
def night_manifest(
    context: dg.AssetExecutionContext, lake: Lake, market: Market, nights: Nights, serving: Serving
) -> dg.MaterializeResult:
    """What each night published, from which data and code, in `pipeline_runs`; written last."""
    sessions = sessions_of_run(context.run.tags, market)
    tonight = nights.find(sessions)
    serving.ensure_indexes([PipelineRun])
    documents = manifests(
        tonight,
        scores=lake.of_sessions(SIGNAL_SCORES, sessions),
        quarantined=lake.of_sessions(QUARANTINED_PRICES, sessions),
        snapshots=nights.fix_snapshots(tonight),
        published=lambda night: serving.summaries(
            {DailyPrice: session_scope(night.session), MLSignal: signal_scope([night])}
        ),
        provenance=provenance(SignalSettings()),
        run_id=context.run.run_id,
    )
    report = serving.reconcile(
        PipelineRun,
        documents,
        scope={"night_id": [night.night_id for night in tonight]},
        as_of=tonight[-1].as_of,
    )
    nights.note_published(tonight)
    return dg.MaterializeResult(metadata=publishing_metadata(report))
