"""Daily bars as the backend charts them. Key: (symbol, date).

Quarantined bars are not here: only clean ones are handed in. Anomaly fields stay null until the
detectors score them.
"""

from collections.abc import Iterator
from datetime import date
from typing import ClassVar, Literal, Self

import polars as pl
from pydantic import Field, model_validator

from pipelines.documents.base import PublishedDocument
from pipelines.documents.values import (
    Count,
    Number,
    Price,
    Probability,
    SessionInstant,
    Symbol,
    midnight_of,
)

Severity = Literal["normal", "low", "medium", "high", "critical"]

_BAR_COLUMNS = (
    *("symbol", "date", "open", "high", "low", "close", "volume", "adjusted_close"),
    *("dividend_amount", "split_coefficient", "price_change", "price_change_percent"),
)


class DailyPrice(PublishedDocument):
    """One session's bar of one symbol, as traded."""

    collection: ClassVar[str] = "stock_price_daily"
    natural_key: ClassVar[tuple[str, ...]] = ("symbol", "date")

    symbol: Symbol = Field(description="Ticker, upper case.")
    date: SessionInstant = Field(description="The session, as its midnight in UTC.")
    open: Price = Field(description="First price as traded, in dollars.")
    high: Price = Field(description="Highest price as traded, in dollars.")
    low: Price = Field(description="Lowest price as traded, in dollars.")
    close: Price = Field(description="Last price as traded, in dollars.")
    volume: Count = Field(description="Shares traded, not adjusted.")
    adjusted_close: Number | None = Field(
        default=None, description="The vendor's close adjusted for later splits and dividends."
    )
    dividend_amount: Number | None = Field(
        default=None, description="Cash dividend whose ex-date this is, dollars a share."
    )
    split_coefficient: Price | None = Field(
        default=None, description="New shares for one old share this session; 1 if none."
    )
    price_change: Number | None = Field(
        default=None,
        description="Close minus the close before it, that one put on today's share count, in "
        "dollars; null in a symbol's first session.",
    )
    price_change_percent: Number | None = Field(
        default=None, description="price_change in percent of the close before."
    )
    source: str = Field(description="The market that the bar came from.")
    data_quality_score: Probability | None = Field(
        default=None, description="0 (bad) to 1 (good); null where nobody scored."
    )
    iso_anomaly_score: Probability | None = Field(
        default=None, description="Anomaly score of the detectors; null where none looked."
    )
    prophet_anomaly_score: Number | None = Field(
        default=None, description="Distance from the forecast; null where none was made."
    )
    volume_z_score: Number | None = Field(
        default=None, description="Volume in deviations from its usual; null where not scored."
    )
    anomaly_severity: Severity | None = Field(
        default=None, description="How bad the bar looks; null where not scored."
    )
    anomaly_reasons: tuple[str, ...] | None = Field(
        default=None, description="Why, in words; null where not scored."
    )

    @model_validator(mode="after")
    def _require_ordered_prices(self) -> Self:
        """Refuse a bar whose range leaves out its own open or close: the backend would choke."""
        first, last = sorted((self.open, self.close))
        if not self.low <= first <= last <= self.high:
            message = (
                f"{self.symbol} {self.date.date()}: low {self.low} and high {self.high} do not "
                f"enclose open {self.open} and close {self.close}; quarantine the bar"
            )
            raise ValueError(message)
        return self


def daily_prices(clean_prices: pl.DataFrame, *, source: str) -> Iterator[DailyPrice]:
    """Make the documents of clean bars, in the order of symbol and session.

    A symbol's first bar in the frame gets no price change, so hand in whole histories.
    """
    before = pl.col("close").shift(1).over("symbol") / pl.col("split_coefficient").fill_null(1.0)
    change = pl.col("close") - before
    rows = (
        clean_prices.sort("symbol", "session")
        .with_columns(
            pl.col("session").cast(pl.Datetime("us", "UTC")).alias("date"),
            change.alias("price_change"),
            (change / before * 100.0).alias("price_change_percent"),
        )
        .select(_BAR_COLUMNS)
    )
    for row in rows.iter_rows(named=True):
        yield DailyPrice.model_validate(row | {"source": source})


def session_scope(session: date) -> dict[str, object]:
    """Return which documents of `stock_price_daily` belong to a session."""
    return {"date": midnight_of(session)}
