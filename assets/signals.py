"""Signals: the models, and each night's opinion on every symbol's next session."""

import dagster as dg

from assets.feature_versions import feature_versions
from assets.features import SIGNAL_FEATURE_NAMES, next_session_labels
from assets.groups import LAKE_POOL, ONE_RUN, OWNERS, Group
from assets.partitions import sessions_of_run
from assets.reporting import count_by
from assets.tables import table_asset
from assets.training_report import decision_metadata, selection_metadata, training_metadata
from pipelines.anomalies.tables import QUARANTINED_PRICES
from pipelines.features.catalogue import SIGNAL_GROUPS
from pipelines.features.groups import features_version
from pipelines.lifecycle.promotion import failed_canaries
from pipelines.lifecycle.registry_rebuild import model_files
from pipelines.signals.interruptions import INTERRUPTED_QUERY
from pipelines.signals.nightly import rewritable, score_nights
from pipelines.signals.panel import features_query
from pipelines.tables import SIGNAL_SCORES
from resources.lake import Lake
from resources.market import Market
from resources.model_registry import ModelRegistry
from resources.nights import Nights
from resources.signal_training import train_and_decide
from resources.trial_books import enter_training
from resources.vendor_archive import VendorArchive
from resources.watchlists import Watchlists


@dg.asset(
    group_name=Group.TRAINING.value,
    owners=OWNERS,
    kinds={"lightgbm", "catboost", "mlflow"},
    pool=LAKE_POOL,
    deps=[*SIGNAL_FEATURE_NAMES, next_session_labels],
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

    Each is a version in MLflow with `trained_through`, the last label it has seen. Tonight's
    becomes champion on evidence alone: canaries, and a paired test on sessions that neither has
    seen. What each family did out of sample goes into the ledger: `trials`, `trial_returns`.
    """
    from pipelines.signals.selection import selection_evidence
    from pipelines.signals.trials import trial_ledger

    night = nights.find(sessions_of_run(context.run.tags, market))[-1]
    made = train_and_decide(lake, model_registry, night=night, progress=context.log.info)
    ledger = trial_ledger(
        made.training, night=night, features_version=features_version(SIGNAL_GROUPS)
    )
    files = model_files(model_registry.versions(market.name))
    lake.commit(
        lambda writer: enter_training(writer, ledger, made.reference, files),
        night=night,
        message="enter trials, reference and files",
    )
    evidence = selection_evidence(lake.read("FROM trial_returns"), published=ledger.published)
    return dg.MaterializeResult(
        metadata=training_metadata(made.training, made.registration)
        | decision_metadata(made.decision)
        | selection_metadata(evidence)
    )


@table_asset(
    SIGNAL_SCORES,
    Group.SIGNALS,
    deps=[*SIGNAL_FEATURE_NAMES, feature_versions, signal_model],
    kinds={"lightgbm"},
    by_session=True,
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
    tonight = nights.join(sessions)
    fresh = rewritable(tonight, lake.of_sessions(SIGNAL_SCORES, sessions))
    scores = score_nights(
        fresh,
        lake.read(features_query(SIGNAL_GROUPS), {"sessions": sessions}),
        universe=watchlists.joined_with(market.universe()),
        first_sessions=vendor_archive.first_sessions(),
        quarantined=lake.of_sessions(QUARANTINED_PRICES, sessions),
        interrupted=lake.read(INTERRUPTED_QUERY, {"sessions": sessions}),
        model_for=model_registry.model_by_session(
            market.name,
            features_version=features_version(SIGNAL_GROUPS),
            complain=context.log.error,
        ),
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


@dg.asset_check(
    asset=signal_model,
    description="Fails where a control with a known answer came out wrong in the newest training: "
    "its model was not promoted, and the champion before it goes on scoring.",
)
def canaries_pass(market: Market, model_registry: ModelRegistry) -> dg.AssetCheckResult:
    """Look at the canaries of the newest training."""
    decided = [one for one in model_registry.versions(market.name) if one.decision]
    failed = failed_canaries(decided[-1].decision) if decided else {}
    return dg.AssetCheckResult(
        passed=not failed,
        metadata={
            "failed": "\n".join(f"{name}: {note}" for name, note in failed.items()) or "none",
            "training": f"version {decided[-1].number}" if decided else "none",
        },
    )


@dg.asset_check(
    asset=signal_scores,
    description="Fails where the champion's file is gone or not what was registered: the version "
    "before it then scores, and the message names both.",
)
def champion_is_whole(market: Market, model_registry: ModelRegistry) -> dg.AssetCheckResult:
    """Load the version that should score tonight."""
    broken: list[str] = []
    model_for = model_registry.model_by_session(
        market.name, features_version=features_version(SIGNAL_GROUPS), complain=broken.append
    )
    found = model_for(market.last_completed_session())
    return dg.AssetCheckResult(
        passed=not broken,
        metadata={
            "broken": "\n".join(broken) or "none",
            "scores_tonight": f"version {found[0]}" if found else "none: every signal abstains",
        },
    )
