"""Portfolio values, marked to market from clean prices. Key: (portfolio_id, session)."""

from datetime import date
from typing import ClassVar

from pydantic import Field

from pipelines.documents.base import Index, PublishedDocument
from pipelines.documents.values import Number, Price


class PortfolioEquity(PublishedDocument):
    """What a portfolio was worth at the close of a session."""

    collection: ClassVar[str] = "portfolio_equity"
    natural_key: ClassVar[tuple[str, ...]] = ("portfolio_id", "session")
    indexes: ClassVar[tuple[Index, ...]] = (
        Index(
            "nightdesk_portfolio_equity_natural_key",
            (("portfolio_id", 1), ("session", 1)),
            unique=True,
        ),
        Index("nightdesk_portfolio_equity_session", (("session", -1),)),
    )

    portfolio_id: str = Field(min_length=1, description="Source and name of the portfolio.")
    session: date = Field(description="Trading day of the exchange calendar.")
    market: str = Field(description="Where the data comes from.")
    value: Price = Field(description="Value at the close, in dollars, dividends reinvested.")
    return_pct: Number | None = Field(
        description="Return since the session before, in per cent; null at the first."
    )
