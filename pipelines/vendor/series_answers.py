"""Time series in the vendor's own form, JSON and CSV.

Forms of numbers follow recorded answers: TIME_SERIES_DAILY writes prices with four decimals
("306.7500"); TIME_SERIES_DAILY_ADJUSTED writes traded prices as short as they are ("170.01"), the
adjusted close with 15 significant digits ("168.210509705847"), dividends with four decimals
("1.6700") and splits as "1.0"; weekly and monthly series write four decimals. Every value is text.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import polars as pl

from pipelines.vendor.requests import COMPACT_SESSIONS

Query = Mapping[str, str]
Bar = dict[str, Any]

_RAW_FIELDS = ("open", "high", "low", "close")


@dataclass(frozen=True)
class Series:
    """How one series is laid out: titles, columns in their order, and the CSV header."""

    information: str
    name: str
    columns: tuple[str, ...]
    header: str
    prices: Literal["four", "short"]
    period: Literal["day", "week", "month"] = "day"

    def cells(self, bar: Bar) -> list[str]:
        """Return a bar's values as text."""
        return [self._cell(name, bar[name]) for name in self.columns]

    def _cell(self, name: str, value: Any) -> str:
        """Write one value the way the vendor does."""
        if name == "volume":
            return str(value)
        if name == "dividend_amount" or self.prices == "four":
            return f"{value:.4f}"
        return f"{value:.15g}" if name == "adjusted_close" else repr(value)


DAILY = Series(
    "Daily Prices (open, high, low, close) and Volumes",
    "Time Series (Daily)",
    (*_RAW_FIELDS, "volume"),
    "timestamp,open,high,low,close,volume",
    "four",
)
DAILY_ADJUSTED = Series(
    "Daily Time Series with Splits and Dividend Events",
    "Time Series (Daily)",
    (*_RAW_FIELDS, "adjusted_close", "volume", "dividend_amount", "split_coefficient"),
    "timestamp,open,high,low,close,adjusted_close,volume,dividend_amount,split_coefficient",
    "short",
)
_PERIOD_COLUMNS = (*_RAW_FIELDS, "adjusted_close", "volume", "dividend_amount")
# The vendor writes the names of these two with spaces, unlike those of the daily series.
_PERIOD_HEADER = "timestamp,open,high,low,close,adjusted close,volume,dividend amount"
WEEKLY_ADJUSTED = Series(
    "Weekly Adjusted Prices and Volumes",
    "Weekly Adjusted Time Series",
    _PERIOD_COLUMNS,
    _PERIOD_HEADER,
    "four",
    "week",
)
MONTHLY_ADJUSTED = Series(
    "Monthly Adjusted Prices and Volumes",
    "Monthly Adjusted Time Series",
    _PERIOD_COLUMNS,
    _PERIOD_HEADER,
    "four",
    "month",
)
SERIES: Mapping[str, Series] = MappingProxyType(
    {
        "TIME_SERIES_DAILY": DAILY,
        "TIME_SERIES_DAILY_ADJUSTED": DAILY_ADJUSTED,
        "TIME_SERIES_WEEKLY_ADJUSTED": WEEKLY_ADJUSTED,
        "TIME_SERIES_MONTHLY_ADJUSTED": MONTHLY_ADJUSTED,
    }
)


def series_answer(bars: pl.DataFrame, query: Query) -> str:
    """Answer with a symbol's series, newest first."""
    series = SERIES[query["function"]]
    shown = _shown(bars, query, series).reverse()
    rows = {str(bar["session"]): series.cells(bar) for bar in shown.iter_rows(named=True)}
    if query.get("datatype") == "csv":
        lines = [series.header, *(",".join([day, *cells]) for day, cells in rows.items())]
        return "\r\n".join(lines) + "\r\n"
    names = [f"{place}. {name.replace('_', ' ')}" for place, name in enumerate(series.columns, 1)]
    days = {day: dict(zip(names, cells, strict=True)) for day, cells in rows.items()}
    return json.dumps({"Meta Data": _about(series, query, next(iter(days))), series.name: days})


def by_period(bars: pl.DataFrame, period: Literal["week", "month"]) -> pl.DataFrame:
    """Return one row a week or month, under its latest session: the current one is partial."""
    start = pl.col("session").dt.truncate("1w" if period == "week" else "1mo")
    return (
        bars.group_by(start.alias("period"), maintain_order=True)
        .agg(
            pl.col("session", "close", "adjusted_close").last(),
            pl.col("open").first(),
            pl.col("high").max(),
            pl.col("low").min(),
            pl.col("volume", "dividend_amount").sum(),
        )
        .sort("session")
    )


def _shown(bars: pl.DataFrame, query: Query, series: Series) -> pl.DataFrame:
    """Return the rows that are asked for."""
    if series.period != "day":
        return by_period(bars, series.period)
    return bars if query.get("outputsize") == "full" else bars.tail(COMPACT_SESSIONS)


def _about(series: Series, query: Query, newest: str) -> dict[str, str]:
    """Write the meta data; only daily series tell their size."""
    about = {"Information": series.information, "Symbol": query["symbol"]}
    about["Last Refreshed"] = newest
    if series.period == "day":
        about["Output Size"] = "Full size" if query.get("outputsize") == "full" else "Compact"
    about["Time Zone"] = "US/Eastern"
    return {f"{place}. {name}": value for place, (name, value) in enumerate(about.items(), 1)}
