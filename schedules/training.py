"""When models are trained: weekly, when no night is under way."""

import dagster as dg

from jobs.training import TRAINING

TRAINING_SCHEDULE = dg.ScheduleDefinition(
    name="training",
    job=TRAINING,
    # Saturday morning: the week's last bars are final and no night runs.
    cron_schedule="0 9 * * 6",
    execution_timezone="America/New_York",
    description="Saturdays at 09:00 in New York: retrain the signal models on all labels so far.",
)
