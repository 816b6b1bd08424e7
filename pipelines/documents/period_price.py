"""Weekly and monthly bars, aggregated from clean daily ones. Key: (symbol, date).

A bar is dated by its last session. The bar of the week or month that still runs is partial: its
date moves from night to night, and the document of the earlier date goes. Prices, volume and
dividends of sessions before a split within the period are put on the share count of the last one.
"""

from typing import ClassVar

from pydantic import Field

from pipelines.documents.base import Index
from pipelines.documents.price_bar import PriceBar, symbol_date_index
from pipelines.documents.price_series import Chunking, PriceSeries
from pipelines.documents.values import Count


class PeriodPrice(PriceBar):
    """A bar over all clean sessions of a period."""

    sessions: Count = Field(description="Clean daily bars that it is made from.")


class WeeklyPrice(PeriodPrice):
    """One calendar week's bar of one symbol, made from clean daily bars; this week's is partial."""

    collection: ClassVar[str] = "stock_price_weekly"
    indexes: ClassVar[tuple[Index, ...]] = (symbol_date_index(collection),)


class MonthlyPrice(PeriodPrice):
    """One calendar month's bar of one symbol, made from clean daily bars; this one's is partial."""

    collection: ClassVar[str] = "stock_price_monthly"
    indexes: ClassVar[tuple[Index, ...]] = (symbol_date_index(collection),)


def period_query(unit: str) -> str:
    """Return SQL for the bars of calendar periods; weeks begin on Monday.

    Sums run in the order of sessions, so that they come out the same every time. The split of a
    period is the growth of the split factor since the period before.
    """
    return f"""
        SELECT symbol, date, open, high, low, close, volume, adjusted_close, dividend_amount,
               last_factor / coalesce(
                   lag(last_factor) OVER (PARTITION BY symbol ORDER BY date), 1.0
               ) AS split_coefficient,
               sessions
        FROM (
            SELECT symbol, max(session) AS date,
                   arg_min(open * old_share, session) AS open,
                   max(high * old_share) AS high,
                   min(low * old_share) AS low,
                   arg_max(close, session) AS close,
                   round(sum(volume / old_share ORDER BY session))::BIGINT AS volume,
                   arg_max(adjusted_close, session) AS adjusted_close,
                   sum(dividend_amount * old_share ORDER BY session) AS dividend_amount,
                   arg_max(split_factor, session) AS last_factor,
                   count(*) AS sessions
            FROM (
                SELECT *, date_trunc('{unit}', session) AS period,
                       split_factor / last_value(split_factor) OVER (
                           PARTITION BY symbol, date_trunc('{unit}', session) ORDER BY session
                           ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
                       ) AS old_share
                FROM bars
            )
            GROUP BY symbol, period
        )"""


def _series(model: type[PeriodPrice], unit: str) -> PriceSeries:
    """Return the series of calendar periods."""
    return PriceSeries(
        model=model,
        chunking=Chunking.MONTH,
        query=period_query(unit),
        dates="SELECT symbol, max(session) AS date FROM bars "
        f"GROUP BY symbol, date_trunc('{unit}', session)",
    )


WEEKLY_PRICE_SERIES = _series(WeeklyPrice, "week")
MONTHLY_PRICE_SERIES = _series(MonthlyPrice, "month")
