"""Signals: the models, and each night's opinion on every symbol's next session."""

import dagster as dg

from assets.features import next_session_labels, technical_features
from assets.groups import LAKE_POOL, ONE_RUN, OWNERS, Group
from assets.partitions import SESSIONS, sessions_of_run
from assets.reporting import count_by, table_metadata
from assets.training_report import training_metadata
from pipelines.features.catalogue import TECHNICAL
from pipelines.signals.nightly import rewritable, score_nights
from pipelines.signals.panel import panel_query
from pipelines.signals.settings import SignalSettings
from pipelines.tables import SIGNAL_SCORES, TECHNICAL_FEATURES
from resources.lake import Lake
from resources.market import Market
from resources.model_registry import ModelRegistry
from resources.nights import Nights
from resources.vendor_archive import VendorArchive


@dg.asset(
    group_name=Group.TRAINING,
    owners=OWNERS,
    kinds={"lightgbm", "mlflow"},
    deps=[technical_features, next_session_labels],
    backfill_policy=ONE_RUN,
)
def signal_model(
    context: dg.AssetExecutionContext,
    lake: Lake,
    market: Market,
    nights: Nights,
    model_registry: ModelRegistry,
) -> dg.MaterializeResult:
    """LightGBM on the panel: one model for each past year and one for tonight, out of sample only.

    Each is a version in MLflow with `trained_through`, the last label it has seen.
    """
    from pipelines.signals.training import train_signals

    night = nights.find(sessions_of_run(context.run.tags, market))[-1]
    training = train_signals(
        lake.read(panel_query(TECHNICAL, table=TECHNICAL_FEATURES), {"session": night.session}),
        features=list(TECHNICAL.expressions),
        settings=SignalSettings(),
        progress=context.log.info,
    )
    registration = model_registry.register(
        training, market=night.market, features_version=TECHNICAL.version, night_id=night.night_id
    )
    return dg.MaterializeResult(metadata=training_metadata(training, registration))


@dg.asset(
    group_name=Group.SIGNALS,
    owners=OWNERS,
    kinds={"lightgbm", "ducklake"},
    pool=LAKE_POOL,
    deps=[technical_features],
    partitions_def=SESSIONS,
    backfill_policy=ONE_RUN,
    metadata=table_metadata(SIGNAL_SCORES),
)
def signal_scores(
    context: dg.AssetExecutionContext,
    lake: Lake,
    market: Market,
    nights: Nights,
    vendor_archive: VendorArchive,
    model_registry: ModelRegistry,
) -> dg.MaterializeResult:
    """Each symbol's chance of a higher next session, by a model of its time, or why none."""
    sessions = sessions_of_run(context.run.tags, market)
    tonight = nights.find(sessions)
    fresh = rewritable(tonight, lake.of_sessions(SIGNAL_SCORES, sessions))
    scores = score_nights(
        fresh,
        lake.of_sessions(TECHNICAL_FEATURES, sessions),
        universe=market.universe(),
        first_sessions=vendor_archive.first_sessions(),
        model_for=model_registry.model_by_session(market.name),
    )
    lake.replace_sessions(SIGNAL_SCORES, scores, nights=fresh)
    held = lake.of_sessions(SIGNAL_SCORES, sessions)
    return dg.MaterializeResult(
        metadata={
            "dagster/partition_row_count": held.height,
            "nights_scored": len(fresh),
            "live_nights_kept": len(tonight) - len(fresh),
            "recommendations": count_by(held, "recommendation"),
            "abstained": count_by(held, "abstain_reason"),
        }
    )
