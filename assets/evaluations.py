"""The evaluation harness: models of their time in scenarios of the past, beside baselines."""

import dagster as dg

from assets.features import SIGNAL_FEATURE_NAMES, next_session_labels
from assets.groups import Group
from assets.partitions import sessions_of_run
from assets.published import published_asset
from assets.reporting import counts_metadata
from assets.signals import signal_model
from assets.tables import table_asset
from pipelines.evaluation.tables import EVALUATIONS
from resources.evaluation_requests import read_requests
from resources.evaluations import EvaluationPlans, Evaluator, publish_evaluation
from resources.lake import Lake
from resources.market import Market
from resources.model_registry import ModelRegistry
from resources.nights import Nights
from resources.serving import Serving


@table_asset(
    EVALUATIONS,
    Group.EVALUATION,
    deps=[*SIGNAL_FEATURE_NAMES, next_session_labels, signal_model],
    kinds={"lightgbm"},
)
def evaluations(
    context: dg.AssetExecutionContext,
    lake: Lake,
    market: Market,
    nights: Nights,
    model_registry: ModelRegistry,
    evaluation_plans: EvaluationPlans,
    serving: Serving,
) -> dg.MaterializeResult:
    """What each scenario shows of the signals, replayed with models of its own time.

    Beside buy-and-hold, momentum, mean reversion and a coin, on the same rows, each figure with an
    interval by session; and how it stands to the limits that a person has set. Users' scenarios in
    `evaluation_scenarios` and their runs that are pending are replayed too.
    """
    from assets.evaluation_metadata import requests_metadata, verdicts_metadata

    night = nights.find(sessions_of_run(context.run.tags, market))[-1]
    made = Evaluator(lake, model_registry, night).evaluate(
        evaluation_plans.plan(),
        read_requests(serving, complain=context.log.warning),
        complain=context.log.error,
    )
    return dg.MaterializeResult(metadata=verdicts_metadata(made.results) | requests_metadata(made))


@published_asset([evaluations], group=Group.EVALUATION)
def published_evaluations(
    context: dg.AssetExecutionContext, lake: Lake, market: Market, nights: Nights, serving: Serving
) -> dg.MaterializeResult:
    """The newest evaluation in `evaluation_scenarios`, `evaluation_runs` and the `benchmarks`."""
    night = nights.find(sessions_of_run(context.run.tags, market))[-1]
    reports = publish_evaluation(lake, serving, night=night)
    return dg.MaterializeResult(
        metadata={
            "documents": counts_metadata({one.collection: one.documents for one in reports}),
            "changed": counts_metadata({one.collection: one.updated for one in reports}),
        }
    )
