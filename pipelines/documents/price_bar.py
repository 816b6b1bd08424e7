"""What daily, weekly and monthly bars share. Key: (symbol, date)."""

from typing import ClassVar, Self

from pydantic import Field, model_validator

from pipelines.documents.base import Index, PublishedDocument
from pipelines.documents.values import Count, Number, Price, Probability, SessionInstant, Symbol


class PriceBar(PublishedDocument):
    """One bar of one symbol, on the share count of its last session."""

    natural_key: ClassVar[tuple[str, ...]] = ("symbol", "date")

    symbol: Symbol = Field(description="Ticker, upper case.")
    date: SessionInstant = Field(description="The bar's last session, as its midnight in UTC.")
    open: Price = Field(description="First price, in dollars on the share count of `date`.")
    high: Price = Field(description="Highest price, in dollars on the share count of `date`.")
    low: Price = Field(description="Lowest price, in dollars on the share count of `date`.")
    close: Price = Field(description="Last price as traded, in dollars.")
    volume: Count = Field(description="Shares traded, on the share count of `date`.")
    adjusted_close: Number | None = Field(
        default=None, description="The vendor's close adjusted for later splits and dividends."
    )
    dividend_amount: Number | None = Field(
        default=None,
        description="Cash dividends whose ex-date the bar holds, dollars a share of `date`.",
    )
    split_coefficient: Price | None = Field(
        default=None, description="New shares for one old share within the bar; 1 if none."
    )
    source: str = Field(description="The market that the bar came from.")
    data_quality_score: Probability | None = Field(
        default=None, description="0 (bad) to 1 (good); null where nobody scored."
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


def symbol_date_index(collection: str) -> Index:
    """Return the index by which chunks of a collection are found and our documents counted.

    The backend has one on (symbol, date) alone, which we may not make under a name of our own;
    with the publisher in it, counting needs no document at all.
    """
    return Index(f"nightdesk_{collection}_chunk", (("symbol", 1), ("date", 1), ("publisher", 1)))
