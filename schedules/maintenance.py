"""When the lake is looked after: weekly, on a day without a night."""

import dagster as dg

from jobs.maintenance import maintenance

MAINTENANCE_SCHEDULE = dg.ScheduleDefinition(
    name="maintenance",
    job=maintenance,
    # Sunday: after Saturday's training, before Monday's night.
    cron_schedule="0 9 * * 0",
    execution_timezone="America/New_York",
    description="Sundays at 09:00 in New York: back up and compact the lake.",
)
