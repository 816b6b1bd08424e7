"""When regimes are stamped anew: every day, weekends and holidays included."""

import dagster as dg

from jobs.heartbeat import regime_heartbeat
from resources.market import Market
from schedules.nightly import EXECUTION_TIMEZONE


@dg.schedule(
    name="regime_heartbeat",
    job=regime_heartbeat,
    # Twice a day: once every 24 hours, each late start would leave a gap in which the backend
    # answers by its own rule. 20:00 comes before the night begins.
    cron_schedule="0 8,20 * * *",
    execution_timezone=EXECUTION_TIMEZONE,
    description="Every day at 08:00 and 20:00 in New York, so that no regime looks a day old.",
)
def heartbeat_schedule(
    context: dg.ScheduleEvaluationContext, market: Market
) -> dg.RunRequest | dg.SkipReason:
    """Ask for a heartbeat of a live market."""
    if market.is_recorded:
        return dg.SkipReason(f"the market {market.name!r} is a recording: its regimes are past")
    return dg.RunRequest(run_key=f"heartbeat-{context.scheduled_execution_time.isoformat()}")
