"""Drift: how far the last month lies from what the champion learned from, and what follows."""

import dagster as dg

from assets.drift_report import drift_metadata
from assets.features import SIGNAL_FEATURE_NAMES, next_session_labels
from assets.groups import Group
from assets.partitions import sessions_of_run
from assets.published import published_asset
from assets.reporting import publishing_metadata
from assets.signals import signal_scores
from assets.tables import table_asset
from assets.track_record import track_records
from pipelines.documents.drift_event import ModelDriftEvent, drift_scope
from pipelines.lifecycle.drift_rows import drift_documents
from pipelines.lifecycle.tables import MODEL_DRIFT
from resources.lake import Lake
from resources.market import Market
from resources.model_drift import keep_drift, roll_back_failed
from resources.model_registry import ModelRegistry
from resources.nights import Nights
from resources.serving import Serving


@table_asset(
    MODEL_DRIFT,
    Group.LIFECYCLE,
    deps=[*SIGNAL_FEATURE_NAMES, next_session_labels, signal_scores, track_records],
    kinds={"numpy"},
)
def model_drift(
    context: dg.AssetExecutionContext,
    lake: Lake,
    market: Market,
    nights: Nights,
    model_registry: ModelRegistry,
) -> dg.MaterializeResult:
    """PSI and KS distance of every feature, the predictions and the labels; decay of live skill.

    Whether the night asks for a training, and why, is kept in `retraining_decisions`. A champion
    whose live opinions are surely worse than a coin is taken back.
    """
    night = nights.find(sessions_of_run(context.run.tags, market))[-1]
    report = keep_drift(lake, model_registry, night=night, complain=context.log.error)
    rollback = roll_back_failed(model_registry, report.rows, night=night)
    return dg.MaterializeResult(metadata={**drift_metadata(report), "rollback": rollback or "none"})


@published_asset(
    [model_drift],
)
def published_drift(
    context: dg.AssetExecutionContext, lake: Lake, market: Market, nights: Nights, serving: Serving
) -> dg.MaterializeResult:
    """Drifts that began tonight in `model_drift_events`, with severity and what to do."""
    sessions = sessions_of_run(context.run.tags, market)
    tonight = nights.find(sessions)
    serving.ensure_indexes([ModelDriftEvent])
    report = serving.reconcile(
        ModelDriftEvent,
        drift_documents(lake.of_sessions(MODEL_DRIFT, sessions), tonight),
        scope=drift_scope(market.name, sessions),
        as_of=tonight[-1].as_of,
    )
    return dg.MaterializeResult(metadata=publishing_metadata(report))
