"""When the night starts: by hand, since Dagster's built schedule asks for the wrong sessions.

The built one scores yesterday's session, and with today's partition included asks for Monday's on
Saturday (`docs/adr/0002-state-tables.md`).
"""

from datetime import UTC
from zoneinfo import ZoneInfo

import dagster as dg

from jobs.nightly import NIGHTLY
from resources.market import Market

EXECUTION_TIMEZONE = "America/New_York"


@dg.schedule(
    name="nightly",
    job=NIGHTLY,
    # Half an hour after the vendor's bars are taken to be final (four hours after the close).
    cron_schedule="30 20 * * 1-5",
    execution_timezone=EXECUTION_TIMEZONE,
    description="Monday to Friday at 20:30 in New York, for that day's session; not on holidays.",
)
def nightly_schedule(
    context: dg.ScheduleEvaluationContext, market: Market
) -> dg.RunRequest | dg.SkipReason:
    """Ask for the night of today's session, once."""
    if market.is_recorded:
        return dg.SkipReason(f"the market {market.name!r} is a recording: no new session comes")
    at = context.scheduled_execution_time.astimezone(UTC)
    today = at.astimezone(ZoneInfo(EXECUTION_TIMEZONE)).date()
    if not market.calendar.is_session(today):
        return dg.SkipReason(f"{market.exchange} does not trade on {today}")
    session = market.calendar.last_completed(at)
    if session != today:
        return dg.SkipReason(f"the bars of {today} are not final yet at {at.isoformat()}")
    return dg.RunRequest(run_key=f"nightly-{session}", partition_key=session.isoformat())
