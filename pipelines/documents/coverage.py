"""How far and how fresh each symbol's published prices are. Key: (symbol, data_type).

The backend deletes and fetches again what it finds stale here, annotations and all. So a symbol
that was really refreshed says so, and one whose refresh failed keeps the stamps of the last that
did not. Instants are those of landed vendor answers, never the clock's.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import Any, ClassVar, Literal

import polars as pl
from pydantic import Field

from pipelines.calendar import VENDOR_DELAY, ExchangeCalendar
from pipelines.documents.base import PublishedDocument
from pipelines.documents.daily_price import DAILY_PRICE_SERIES
from pipelines.documents.period_price import MONTHLY_PRICE_SERIES, WEEKLY_PRICE_SERIES
from pipelines.documents.price_series import PriceSeries
from pipelines.documents.values import Count, Instant, SessionInstant, Symbol, midnight_of
from pipelines.vendor.requests import DAILY_FUNCTION

DataType = Literal["daily", "weekly", "monthly"]

SERIES: Mapping[DataType, PriceSeries] = {
    "daily": DAILY_PRICE_SERIES,
    "weekly": WEEKLY_PRICE_SERIES,
    "monthly": MONTHLY_PRICE_SERIES,
}

REFRESHES_QUERY = f"""
    WITH answers AS (
        SELECT answer.symbol, answer.function, answer.fetched_at, exchange.session AS through,
               json_extract_string(answer.request, '$.outputsize') = 'full' AS is_full
        FROM vendor_responses AS answer ASOF JOIN exchange_sessions AS exchange
            ON answer.fetched_at
               >= exchange.closes_at + INTERVAL {int(VENDOR_DELAY.total_seconds())} SECOND
        WHERE answer.outcome = 'data' AND answer.function LIKE 'TIME_SERIES_DAILY%'
    ), refreshes AS (
        SELECT answers.* FROM answers
        JOIN daily_prices AS bar ON bar.symbol = answers.symbol AND bar.session = answers.through
    ), events AS (
        SELECT symbol, max(session) AS session FROM daily_prices
        WHERE split_coefficient <> 1 OR dividend_amount <> 0 GROUP BY symbol
    )
    SELECT refreshes.symbol, max(fetched_at) AS refreshed_at, max(through) AS refreshed_through,
           max(fetched_at) FILTER (is_full) AS full_at,
           coalesce(
               arg_max(function, fetched_at) = '{DAILY_FUNCTION}'
               AND any_value(events.session) > max(through) FILTER (is_full), false
           ) AS is_past_outdated
    FROM refreshes LEFT JOIN events USING (symbol)
    GROUP BY refreshes.symbol"""
"""Each symbol's newest real refresh: an answer after which the newest session of its time is held.

The past is outdated where a split or dividend came after the last full answer: the adjusted closes
of the whole past have changed at the vendor, and we have not seen them.
"""


class StockDataCoverage(PublishedDocument):
    """How far one symbol's bars of one kind reach, and when they were last really refreshed."""

    collection: ClassVar[str] = "stock_data_coverage"
    natural_key: ClassVar[tuple[str, ...]] = ("symbol", "data_type")

    symbol: Symbol = Field(description="Ticker, upper case.")
    data_type: DataType = Field(description="Which bars: stock_price_<data_type>.")
    first_date: SessionInstant = Field(description="Date of the first published bar.")
    last_date: SessionInstant = Field(description="Date of the last published bar.")
    total_records: Count = Field(description="Published bars.")
    last_full_update: Instant | None = Field(
        description="When the whole history was last known to be the vendor's: at a full answer, "
        "or a later one that joined on without a split or dividend; null if never."
    )
    last_delta_update: Instant | None = Field(
        description="When an answer last brought the newest session of its time; null if never."
    )
    next_update_due: Instant | None = Field(
        description="When the session after that one is final; in the past, the symbol is stale."
    )
    is_active: bool = Field(
        description="Whether the universe, a watchlist or a portfolio names the symbol."
    )
    update_frequency: Literal["daily"] = Field(
        default="daily", description="How often it is refreshed: every session, weekly bars too."
    )
    source: str = Field(description="The market that the bars come from.")


def holdings_query() -> str:
    """Return SQL for what is published of each symbol: `data_type`, first and last date, bars."""
    parts = (
        f"SELECT symbol, '{data_type}' AS data_type, min(date) AS first_date, "
        f"max(date) AS last_date, count(*) AS total_records FROM ({series.query}) GROUP BY symbol"
        for data_type, series in SERIES.items()
    )
    return "WITH bars AS (SELECT * FROM clean_prices) " + " UNION ALL ".join(parts)


def coverage_documents(
    holdings: pl.DataFrame,
    refreshes: pl.DataFrame,
    *,
    active: Collection[str],
    source: str,
    calendar: ExchangeCalendar,
) -> Iterator[StockDataCoverage]:
    """Make the documents of what is published; a symbol without a bar has none.

    Args:
        holdings: Rows of `holdings_query`.
        refreshes: Rows of `REFRESHES_QUERY`.
        active: Symbols that are kept up to date.
        source: The market that the bars come from.
        calendar: Tells when the next session is final.
    """
    stamps = {
        row["symbol"]: _stamps(row, calendar=calendar) for row in refreshes.iter_rows(named=True)
    }
    never = dict.fromkeys(("last_full_update", "last_delta_update", "next_update_due"))
    for row in holdings.sort("symbol", "data_type").iter_rows(named=True):
        dates: dict[str, date] = {name: row.pop(name) for name in ("first_date", "last_date")}
        yield StockDataCoverage.model_validate(
            row
            | {name: midnight_of(day) for name, day in dates.items()}
            | stamps.get(row["symbol"], never)
            | {"is_active": row["symbol"] in active, "source": source}
        )


def _stamps(refresh: Mapping[str, Any], *, calendar: ExchangeCalendar) -> dict[str, object]:
    """Return a symbol's stamps of freshness."""
    full_at, refreshed_at = refresh["full_at"], refresh["refreshed_at"]
    is_whole = full_at is not None and not refresh["is_past_outdated"]
    due = calendar.known_at(calendar.next(refresh["refreshed_through"]))
    return {
        "last_full_update": refreshed_at if is_whole else full_at,
        "last_delta_update": refreshed_at,
        "next_update_due": due,
    }
