"""Sensors that call for help: a run that failed, and a night that never came."""

from datetime import UTC, date, datetime

import dagster as dg

from jobs.evaluation import EVALUATION
from jobs.heartbeat import regime_heartbeat
from jobs.history import HISTORY
from jobs.maintenance import maintenance
from jobs.nightly import NIGHTLY
from jobs.training import TRAINING
from pipelines.alerts import night_missing, run_failed
from resources.market import Market
from resources.nights import Nights
from resources.webhook import Webhook

PARTITION_TAG = "dagster/partition"


@dg.run_failure_sensor(
    name="failed_runs",
    monitored_jobs=[NIGHTLY, TRAINING, HISTORY, EVALUATION, maintenance, regime_heartbeat],
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Calls the webhook when a run of the desk fails. Sees what the daemon launched; "
    "`make nightly` calls it by itself.",
)
def failed_runs(context: dg.RunFailureSensorContext, market: Market, webhook: Webhook) -> None:
    """Tell the webhook which job failed, for which session, and why."""
    session = context.dagster_run.tags.get(PARTITION_TAG)
    alert = run_failed(
        context.dagster_run.job_name,
        market=market.name,
        session=date.fromisoformat(session) if session else None,
        message=context.failure_event.message or "no reason given",
        at=datetime.now(UTC),
    )
    webhook.send(alert)


@dg.sensor(
    name="missing_nights",
    minimum_interval_seconds=600,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Calls the webhook once when a night is not published two hours after its bars "
    "were final, whoever should have started it.",
)
def missing_nights(
    context: dg.SensorEvaluationContext, market: Market, nights: Nights, webhook: Webhook
) -> dg.SensorResult | dg.SkipReason:
    """Look for the newest night that is due, and call once where it is missing."""
    if market.is_recorded:
        return dg.SkipReason(f"the market {market.name!r} is a recording: no night is due")
    alert = night_missing(
        market.name,
        calendar=market.calendar,
        published=nights.newest_published(),
        at=datetime.now(UTC),
    )
    if alert is None:
        return dg.SkipReason("the newest night that is due is published")
    if context.cursor != str(alert.session):
        webhook.send(alert)
    return dg.SensorResult(skip_reason=alert.message, cursor=str(alert.session))
