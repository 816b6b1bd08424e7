"""The registry as the backend may read it: versions with their checklist, and who scored when."""

import dagster as dg

from assets.feature_versions import feature_versions
from assets.forecasts import pool_decisions
from assets.partitions import sessions_of_run
from assets.published import published_asset
from assets.regimes import regime_states
from assets.reporting import counts_metadata
from assets.signals import signal_scores
from pipelines.lifecycle.versions import CHALLENGER, CHAMPION, aliases_of
from resources.lake import Lake
from resources.market import Market
from resources.model_publishing import ModelPublisher
from resources.model_registry import ModelRegistry
from resources.nights import Nights
from resources.serving import Serving


@published_asset(
    [signal_scores, regime_states, pool_decisions, feature_versions],
    kinds=frozenset({"mongodb", "mlflow"}),
)
def published_models(
    context: dg.AssetExecutionContext,
    lake: Lake,
    market: Market,
    nights: Nights,
    model_registry: ModelRegistry,
    serving: Serving,
) -> dg.MaterializeResult:
    """Every version in `model_versions` with its checklist, the champions in `deployments`.

    Signal models are MLflow's, regime fits and pools the lake's. Trainings are in `model_runs`
    and `model_experiments`, what each feature is worth to each version in `feature_usages`.
    """
    night = nights.find(sessions_of_run(context.run.tags, market))[-1]
    reports = ModelPublisher(lake, model_registry, serving, night).publish()
    named = aliases_of(model_registry.versions(market.name))
    champion, challenger = named[CHAMPION], named[CHALLENGER]
    return dg.MaterializeResult(
        metadata={
            "champion": f"version {champion.number}" if champion else "none: every signal abstains",
            "challenger": f"version {challenger.number}" if challenger else "none",
            "why": champion.decision.reason if champion and champion.decision else "not told",
            "documents": counts_metadata({one.collection: one.documents for one in reports}),
            "changed": counts_metadata({one.collection: one.updated for one in reports}),
        }
    )
