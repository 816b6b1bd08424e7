"""A market whose every bar is already there, to be shown as of any day.

Frames are long, keyed by (symbol, session), prices as traded. The adjusted close is the one column
that a vendor rewrites: on any day it knows the splits and dividends up to that day, nothing later.
"""

from dataclasses import dataclass, field
from datetime import date

import polars as pl

from pipelines.markets.indexes import INDEX_SCHEMA, no_indexes

BAR_SCHEMA = pl.Schema(
    {
        "symbol": pl.String,
        "session": pl.Date,
        "open": pl.Float64,
        "high": pl.Float64,
        "low": pl.Float64,
        "close": pl.Float64,
        "volume": pl.Int64,
        "adjusted_close": pl.Float64,
        "dividend_amount": pl.Float64,
        "split_coefficient": pl.Float64,
    }
)
"""The value columns of `daily_prices`, as a vendor sends them."""


@dataclass(frozen=True, eq=False)
class RecordedMarket:
    """All bars of a market, with the adjusted close as seen on its last session; its indexes."""

    name: str
    exchange: str
    bars: pl.DataFrame
    indexes: pl.DataFrame = field(default_factory=no_indexes)

    def __post_init__(self) -> None:
        """Refuse bars of another shape: every reader relies on it."""
        if self.bars.schema != BAR_SCHEMA or self.bars.is_empty():
            message = (
                f"market {self.name!r} needs at least one bar with the columns "
                f"{dict(BAR_SCHEMA)}, got {self.bars.height} with {dict(self.bars.schema)}"
            )
            raise ValueError(message)
        if self.indexes.schema != INDEX_SCHEMA:
            message = (
                f"the indexes of market {self.name!r} need the columns {dict(INDEX_SCHEMA)}, got "
                f"{dict(self.indexes.schema)}"
            )
            raise ValueError(message)

    @property
    def first_session(self) -> date:
        """The earliest session of any symbol."""
        first: date = self.bars.select(pl.col("session").min()).item()
        return first

    @property
    def last_session(self) -> date:
        """The latest session of any symbol."""
        last: date = self.bars.select(pl.col("session").max()).item()
        return last

    @property
    def symbols(self) -> tuple[str, ...]:
        """Every symbol that ever traded here, in alphabetical order."""
        return tuple(self.bars["symbol"].unique().sort())

    @property
    def index_symbols(self) -> tuple[str, ...]:
        """Every index that is recorded, in alphabetical order."""
        return tuple(self.indexes["symbol"].unique().sort())

    def as_seen_on(self, day: date) -> pl.DataFrame:
        """Return the bars of sessions up to `day`, adjusted as a vendor showed them that day."""
        return with_adjusted_close(self.bars.filter(pl.col("session") <= day))

    def indexes_seen_on(self, day: date) -> pl.DataFrame:
        """Return the indexes of sessions up to `day`."""
        return self.indexes.filter(pl.col("session") <= day).sort("symbol", "session")


def with_adjusted_close(bars: pl.DataFrame) -> pl.DataFrame:
    """Return the bars sorted by symbol and session, with the adjusted close worked out anew.

    A dividend d on session t multiplies every earlier close by 1 - d / close[t-1], a split s by
    1 / s (the method of CRSP, which Alpha Vantage follows). The newest adjusted close is the close.
    A dividend on the day of a split is paid on the new shares.
    """
    later_steps = pl.col("step").shift(-1).fill_null(1.0).cum_prod(reverse=True).over("symbol")
    return (
        bars.sort("symbol", "session")
        .with_columns(step=adjustment_step())
        .with_columns(adjusted_close=pl.col("close") * later_steps)
        .select(BAR_SCHEMA.names())
    )


def adjustment_step() -> pl.Expr:
    """Return what a bar's dividend and split multiply every earlier adjusted close by.

    For frames sorted by symbol and session; 1 without either, and for a symbol's first bar.
    """
    split, dividend = pl.col("split_coefficient"), pl.col("dividend_amount")
    before = pl.col("close").shift(1).over("symbol")
    # A close of zero, which vendors send, must not reach the other days through a division.
    paid = pl.when(before > 0).then(split * dividend / before).otherwise(0.0)
    return (pl.when(split > 0).then((1 - paid) / split)).fill_null(1.0)
