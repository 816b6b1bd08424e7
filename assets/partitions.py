"""Sessions as partitions, and the sessions that a run is for.

Only the outputs of a night are partitioned. State tables are not: in a run for a session they bring
themselves up to date through it.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import dagster as dg

from pipelines.markets.names import FIRST_SESSION
from resources.closed_days import closed_weekdays
from resources.market import Market
from resources.settings import Settings, load_settings
from resources.wiring import build_market

PARTITION_TAG = "dagster/partition"
RANGE_START_TAG = "dagster/asset_partition_range_start"
RANGE_END_TAG = "dagster/asset_partition_range_end"

YEARS_AHEAD = 1
"""Exchanges announce their holidays about a year ahead."""


def session_partitions(settings: Settings) -> dg.DailyPartitionsDefinition:
    """Return one partition for each session of the market, today's included."""
    first = FIRST_SESSION[settings.market]
    last = build_market(settings).last_recorded_session
    holidays_until = last or date(datetime.now(UTC).year + YEARS_AHEAD, 12, 31)
    closed = closed_weekdays(
        settings.exchange, first, holidays_until, folder=settings.home / "calendar"
    )
    return dg.DailyPartitionsDefinition(
        start_date=first.isoformat(),
        end_date=(last + timedelta(days=1)).isoformat() if last else None,
        exclusions=["0 0 * * 6,0", *(datetime(d.year, d.month, d.day, tzinfo=UTC) for d in closed)],
        end_offset=0 if last else 1,
    )


SESSIONS = session_partitions(load_settings())


def sessions_of_run(tags: Mapping[str, str], market: Market) -> list[date]:
    """Return the sessions that a run is for, in order.

    They are its partition or its range of partitions; without either, the last completed session.
    """
    if RANGE_START_TAG in tags:
        first, last = tags[RANGE_START_TAG], tags[RANGE_END_TAG]
        return market.calendar.sessions(date.fromisoformat(first), date.fromisoformat(last))
    if PARTITION_TAG in tags:
        return [date.fromisoformat(tags[PARTITION_TAG])]
    return [market.last_completed_session()]
