"""A sensor that trains when a night's drift asks for it, in between the weekly trainings."""

import dagster as dg

from jobs.training import TRAINING
from resources.lake import Lake
from resources.model_drift import newest_retraining_decision


@dg.sensor(
    name="drift_retraining",
    job=TRAINING,
    minimum_interval_seconds=600,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts the job `training` once for a night whose drift asks for it; says of each "
    "other night why it did not. The decisions are kept in `retraining_decisions`.",
)
def drift_retraining(
    context: dg.SensorEvaluationContext, lake: Lake
) -> dg.RunRequest | dg.SkipReason:
    """Ask for a training where the newest night does, once a night."""
    decision = newest_retraining_decision(lake)
    if decision is None:
        return dg.SkipReason("no night has measured drift yet")
    session, trains, reason = decision
    if not trains:
        return dg.SkipReason(f"{session}: {reason}")
    context.log.info(f"{session}: {reason}")
    return dg.RunRequest(run_key=f"drift-{session}", tags={"nightdesk/reason": reason[:200]})
