"""Sessions as partitions, and the sessions that a run is for.

Only the outputs of a night are partitioned. State tables are not: in a run for a session they bring
themselves up to date through it.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import dagster as dg

from pipelines.calendar import ExchangeCalendar
from pipelines.markets.names import FIRST_SESSION, LAST_RECORDED_SESSION, MarketName
from resources.market import Market
from resources.settings import load_settings

PARTITION_TAG = "dagster/partition"
RANGE_START_TAG = "dagster/asset_partition_range_start"
RANGE_END_TAG = "dagster/asset_partition_range_end"

HOLIDAYS_KNOWN_AHEAD = timedelta(days=365)
"""Exchanges announce their holidays about a year ahead."""


def session_partitions(market: MarketName, exchange: str) -> dg.DailyPartitionsDefinition:
    """Return one partition for each session of a market, today's included."""
    first = FIRST_SESSION[market]
    last = LAST_RECORDED_SESSION.get(market)
    holidays_until = last or datetime.now(UTC).date() + HOLIDAYS_KNOWN_AHEAD
    closed = ExchangeCalendar.of(exchange).closed_weekdays(first, holidays_until)
    return dg.DailyPartitionsDefinition(
        start_date=first.isoformat(),
        end_date=(last + timedelta(days=1)).isoformat() if last else None,
        exclusions=["0 0 * * 6,0", *(datetime(d.year, d.month, d.day, tzinfo=UTC) for d in closed)],
        end_offset=0 if last else 1,
    )


_SETTINGS = load_settings()
SESSIONS = session_partitions(_SETTINGS.market, _SETTINGS.exchange)


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
