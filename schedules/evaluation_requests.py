"""A sensor that evaluates what users ask for, in between the monthly evaluations."""

import json
from hashlib import sha256

import dagster as dg

from assets.partitions import PARTITION_TAG
from jobs.evaluation import EVALUATION
from resources.evaluation_requests import waiting_requests
from resources.lake import Lake
from resources.nights import Nights
from resources.serving import Serving

UNDER_WAY = dg.RunsFilter(
    job_name=EVALUATION.name,
    statuses=[
        *(dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED),
        *(dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED),
    ],
)


@dg.sensor(
    name="evaluation_requests",
    job=EVALUATION,
    minimum_interval_seconds=300,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts the job `evaluation`, as the newest published night knows the market, for "
    "scenarios and runs of users that nobody has answered. Each request starts one run at most, "
    "and those that are found together share it.",
)
def evaluation_requests(
    context: dg.SensorEvaluationContext, lake: Lake, nights: Nights, serving: Serving
) -> dg.SensorResult | dg.SkipReason:
    """Ask for one evaluation of all that was not asked for before."""
    from resources.mongodb import ServingUnavailableError

    session = nights.newest_published()
    if session is None:
        return dg.SkipReason("no night is published yet: nothing can be replayed")
    if not serving.is_there():
        return dg.SkipReason("the embedded MongoDB does not run: nobody can have asked")
    try:
        waiting = waiting_requests(lake, serving)
    except ServingUnavailableError as error:
        return dg.SkipReason(f"{error}; what users ask for waits")
    fresh = sorted(waiting.keys() - set(json.loads(context.cursor or "[]")))
    if not fresh:
        return dg.SkipReason(_nothing_new(len(waiting)))
    if context.instance.get_runs_count(UNDER_WAY):
        return dg.SkipReason(f"an evaluation is under way: {len(fresh)} requests wait for its end")
    reason = ", ".join(waiting[key] for key in fresh)
    context.log.info(reason)
    run_key = f"evaluation-{sha256(' '.join(fresh).encode()).hexdigest()[:16]}"
    tags = {PARTITION_TAG: session.isoformat(), "nightdesk/reason": reason[:200]}
    return dg.SensorResult(
        run_requests=[dg.RunRequest(run_key=run_key, tags=tags)],
        cursor=json.dumps(sorted(waiting)),
    )


def _nothing_new(waiting: int) -> str:
    """Say why nothing is started."""
    if not waiting:
        return "every request of users is answered"
    return (
        f"the run was started that should have answered {waiting} requests: if it failed, run "
        "make evaluate once its cause is gone"
    )
