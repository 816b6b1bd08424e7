"""The code location: puts assets, checks, jobs, schedules and resources together, nothing else."""

from typing import Any

import dagster as dg

import assets
from jobs.history import HISTORY
from jobs.maintenance import maintenance
from jobs.nightly import NIGHTLY
from jobs.training import TRAINING
from resources.settings import load_settings
from resources.wiring import build_resources
from schedules.alerts import failed_runs, missing_nights
from schedules.maintenance import MAINTENANCE_SCHEDULE
from schedules.nightly import nightly_schedule
from schedules.training import TRAINING_SCHEDULE


def build_definitions(**overrides: Any) -> dg.Definitions:
    """Return the code location, with single resources replaced where a test wants others."""
    return dg.Definitions(
        assets=dg.load_assets_from_package_module(assets),
        asset_checks=dg.load_asset_checks_from_package_module(assets),
        jobs=[NIGHTLY, TRAINING, HISTORY, maintenance],
        sensors=[failed_runs, missing_nights],
        schedules=[nightly_schedule, TRAINING_SCHEDULE, MAINTENANCE_SCHEDULE],
        resources=build_resources(load_settings()) | overrides,
    )


defs = build_definitions()
