"""When models are evaluated: monthly, when no night is under way."""

import dagster as dg

from jobs.evaluation import EVALUATION

EVALUATION_SCHEDULE = dg.ScheduleDefinition(
    name="evaluation",
    job=EVALUATION,
    # Long after the last night, long before the next one.
    cron_schedule="0 13 1 * *",
    execution_timezone="America/New_York",
    description="On the first of a month at 13:00 in New York: replay all scenarios.",
)
