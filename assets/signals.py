"""Signals: the models, and each night's opinion on every symbol's next session."""

import dagster as dg

from assets.features import FEATURE_ASSETS, next_session_labels
from assets.groups import LAKE_POOL, ONE_RUN, OWNERS, Group
from assets.partitions import SESSIONS, sessions_of_run
from assets.reporting import count_by, table_metadata
from assets.training_report import training_metadata
from pipelines.features.catalogue import GROUPS
from pipelines.features.groups import feature_names, features_version
from pipelines.signals.nightly import rewritable, score_nights
from pipelines.signals.panel import features_query, panel_query
from pipelines.signals.settings import SignalSettings
from pipelines.tables import QUARANTINED_PRICES, SIGNAL_SCORES
from resources.lake import Lake
from resources.market import Market
from resources.model_registry import ModelRegistry
from resources.nights import Nights
from resources.trial_books import enter_trials
from resources.vendor_archive import VendorArchive
from resources.watchlists import Watchlists


@dg.asset(
    group_name=Group.TRAINING.value,
    owners=OWNERS,
    kinds={"lightgbm", "catboost", "mlflow"},
    pool=LAKE_POOL,
    deps=[*FEATURE_ASSETS, next_session_labels],
    backfill_policy=ONE_RUN,
)
def signal_model(
    context: dg.AssetExecutionContext,
    lake: Lake,
    market: Market,
    nights: Nights,
    model_registry: ModelRegistry,
) -> dg.MaterializeResult:
    """Boosters on the panel: one ensemble for each past year and one for tonight, out of sample.

    Each is a version in MLflow with `trained_through`, the last label it has seen. What each family
    of boosters did out of sample goes into the ledger: `trials` and `trial_returns`.
    """
    from pipelines.signals.training import train_signals
    from pipelines.signals.trials import trial_ledger

    night = nights.find(sessions_of_run(context.run.tags, market))[-1]
    training = train_signals(
        lake.read(panel_query(GROUPS), {"session": night.session}),
        features=feature_names(GROUPS),
        settings=SignalSettings(),
        progress=context.log.info,
    )
    registration = model_registry.register(
        training,
        market=night.market,
        features_version=features_version(GROUPS),
        night_id=night.night_id,
    )
    ledger = trial_ledger(training, night=night, features_version=features_version(GROUPS))
    lake.commit(lambda writer: enter_trials(writer, ledger), night=night, message="enter trials")
    return dg.MaterializeResult(metadata=training_metadata(training, registration))


@dg.asset(
    group_name=Group.SIGNALS.value,
    owners=OWNERS,
    kinds={"lightgbm", "ducklake"},
    pool=LAKE_POOL,
    deps=[*FEATURE_ASSETS, signal_model],
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
    watchlists: Watchlists,
) -> dg.MaterializeResult:
    """Each symbol's chance of a higher next session, by a model of its time, or why none."""
    sessions = sessions_of_run(context.run.tags, market)
    tonight = nights.find(sessions)
    fresh = rewritable(tonight, lake.of_sessions(SIGNAL_SCORES, sessions))
    scores = score_nights(
        fresh,
        lake.read(features_query(GROUPS), {"sessions": sessions}),
        universe=watchlists.joined_with(market.universe()),
        first_sessions=vendor_archive.first_sessions(),
        quarantined=lake.of_sessions(QUARANTINED_PRICES, sessions),
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
