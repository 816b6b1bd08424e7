"""Daily bars as the backend charts them. Key: (symbol, date).

Quarantined bars are not here: only clean ones are handed in. Anomaly fields stay null until the
detectors score them.
"""

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from pipelines.documents.base import Index
from pipelines.documents.price_bar import PriceBar, symbol_date_index
from pipelines.documents.price_series import Chunking, PriceSeries
from pipelines.documents.values import Number, Probability, midnight_of

Severity = Literal["normal", "low", "medium", "high", "critical"]


class DailyPrice(PriceBar):
    """One session's bar of one symbol, as traded."""

    collection: ClassVar[str] = "stock_price_daily"
    indexes: ClassVar[tuple[Index, ...]] = (symbol_date_index(collection),)

    price_change: Number | None = Field(
        default=None,
        description="Close minus the close before it, that one put on today's share count, in "
        "dollars; null in a symbol's first session.",
    )
    price_change_percent: Number | None = Field(
        default=None, description="price_change in percent of the close before."
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


DAILY_PRICE_SERIES = PriceSeries(
    model=DailyPrice,
    chunking=Chunking.MONTH,
    # The split factor also knows the splits of withheld bars in between.
    query="""
        SELECT symbol, session AS date, open, high, low, close, volume, adjusted_close,
               dividend_amount, split_coefficient,
               close - close_before AS price_change,
               100 * (close - close_before) / close_before AS price_change_percent
        FROM (
            SELECT *, lag(close * split_factor) OVER (PARTITION BY symbol ORDER BY session)
                      / split_factor AS close_before
            FROM bars
        )""",
)


def session_scope(session: date) -> dict[str, object]:
    """Return which documents of `stock_price_daily` belong to a session."""
    return {"date": midnight_of(session)}
