"""The code location: puts assets, checks, jobs, schedules and resources together, nothing else."""

from typing import Any

import dagster as dg

import assets
from assets.optional_features import optional_features_of
from jobs.evaluation import EVALUATION
from jobs.heartbeat import regime_heartbeat
from jobs.history import HISTORY
from jobs.maintenance import maintenance
from jobs.nightly import NIGHTLY
from jobs.training import TRAINING
from resources.settings import load_settings
from resources.wiring import build_resources
from schedules.alerts import failed_runs, missing_nights
from schedules.evaluation import EVALUATION_SCHEDULE
from schedules.evaluation_requests import evaluation_requests
from schedules.heartbeat import heartbeat_schedule
from schedules.lost_runs import lost_runs
from schedules.maintenance import MAINTENANCE_SCHEDULE
from schedules.nightly import nightly_schedule
from schedules.retraining import drift_retraining
from schedules.training import TRAINING_SCHEDULE


def build_definitions(**overrides: Any) -> dg.Definitions:
    """Return the code location, with single resources replaced where a test wants others."""
    resources = build_resources(load_settings()) | overrides
    return dg.Definitions(
        assets=[
            *dg.load_assets_from_package_module(assets),
            optional_features_of(resources["feature_choice"].optional_groups()),
        ],
        asset_checks=dg.load_asset_checks_from_package_module(assets),
        jobs=[NIGHTLY, TRAINING, HISTORY, EVALUATION, maintenance, regime_heartbeat],
        sensors=[
            *(failed_runs, lost_runs, missing_nights),
            *(drift_retraining, evaluation_requests),
        ],
        schedules=[
            *(nightly_schedule, TRAINING_SCHEDULE, MAINTENANCE_SCHEDULE),
            *(heartbeat_schedule, EVALUATION_SCHEDULE),
        ],
        resources=resources,
        executor=dg.in_process_executor,  # of what the UI runs without a job, too
    )


defs = build_definitions()
