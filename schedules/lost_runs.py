"""A sensor that ends runs whose process was killed, so that nothing waits for their pools."""

import dagster as dg

from resources.lost_runs import end_lost_runs
from resources.settings import load_settings


@dg.sensor(
    name="lost_runs",
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Marks runs as failed whose process was killed, and frees the pools they hold; "
    "`make nightly` does so by itself when it begins.",
)
def lost_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """End the runs that nobody executes any more."""
    is_shared = load_settings().dagster_database is not None
    lost = end_lost_runs(context.instance, is_shared=is_shared)
    return dg.SkipReason(f"ended {', '.join(lost)}" if lost else "every run has its process")
