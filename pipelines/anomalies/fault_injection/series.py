"""One symbol's bars on their way from clean to faulty: the words that the faults are written in.

Rows are sessions in order. Prices stay in the cents and volumes in the whole shares of a vendor,
and the adjusted close is what a vendor would work out from the faulty bars, unless it is the fault.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from pipelines.markets.recorded import BAR_SCHEMA, with_adjusted_close

PRICES = ("open", "high", "low", "close")
ROW = "row"
_SMALLEST_PRICE = 0.0001
"""What four decimals can hold; vendors show no less."""


@dataclass(frozen=True, eq=False)
class Victim:
    """A symbol to be harmed.

    Attributes:
        bars: Its clean bars, in order.
        at: The row that the fault begins at.
        donor: Bars of another symbol, in order; None if there is none.
        closed_days: Days on which the exchange was closed, in order.
        rng: Where magnitudes come from.
    """

    bars: pl.DataFrame
    at: int
    donor: pl.DataFrame | None
    closed_days: pl.Series
    rng: np.random.Generator

    @property
    def rows_left(self) -> int:
        """Rows from the fault on."""
        return self.bars.height - self.at

    def run(self, fewest: int, most: int) -> range:
        """Return rows of a run that begins at the fault, leaving one row after it."""
        length = int(self.rng.integers(fewest, most + 1))
        return range(self.at, self.at + min(length, max(1, self.rows_left - 1)))

    def onward(self) -> range:
        """Return the rows from the fault to the end."""
        return range(self.at, self.bars.height)

    def choose(self, *options: str) -> str:
        """Return one of some variants, each equally likely."""
        return options[int(self.rng.integers(len(options)))]

    def between(self, low: float, high: float) -> float:
        """Return a magnitude, even on a logarithmic scale."""
        return float(low * (high / low) ** self.rng.random())

    def chance(self, probability: float) -> bool:
        """Return true with a probability."""
        return bool(self.rng.random() < probability)


@dataclass(frozen=True, eq=False)
class Harm:
    """What a fault did.

    Attributes:
        bars: The symbol's bars afterwards.
        rows: Rows of the clean bars that are wrong now, or missing.
        magnitude: Factor, share or number of sessions, as the kind says.
        variant: Which way of erring it was.
        days: Days of wrong rows that the clean bars do not have.
    """

    bars: pl.DataFrame
    rows: range
    magnitude: float
    variant: str
    days: tuple[object, ...] = ()


FaultFunction = Callable[[Victim], Harm]


def changed(bars: pl.DataFrame, rows: range, **values: pl.Expr) -> pl.DataFrame:
    """Return bars with other values, taken as they are, in some rows."""
    inside = pl.int_range(pl.len()).is_between(rows.start, rows.stop - 1)
    return bars.with_columns(
        pl.when(inside).then(value).otherwise(name).cast(BAR_SCHEMA[name]).alias(name)
        for name, value in values.items()
    )


def computed(bars: pl.DataFrame, rows: range, **values: pl.Expr) -> pl.DataFrame:
    """Return bars with other values in some rows; prices in whole cents, volume in whole shares."""
    return changed(bars, rows, **{name: _rounded(name, value) for name, value in values.items()})


def scaled(bars: pl.DataFrame, rows: range, factor: float, *columns: str) -> pl.DataFrame:
    """Return bars with some columns multiplied in some rows."""
    return computed(bars, rows, **{name: pl.col(name) * factor for name in columns})


def at_new_level(bars: pl.DataFrame, rows: range, ratio: float) -> pl.DataFrame:
    """Return bars whose rows are counted in `ratio` new shares for each old one."""
    money = scaled(bars, rows, 1 / ratio, *PRICES, "dividend_amount")
    return scaled(money, rows, ratio, "volume")


def readjusted(bars: pl.DataFrame) -> pl.DataFrame:
    """Return bars with the adjusted close that follows from them."""
    return with_adjusted_close(bars)


def _rounded(name: str, value: pl.Expr) -> pl.Expr:
    """Return a column's values as a vendor writes them.

    Cents, but four decimals below a dollar, so that a scaled bar keeps the order of its prices.
    """
    if name == "volume":
        return value.round()
    if name not in PRICES:
        return value
    fine = value.round(4)
    return (
        pl.when(value.abs() < 1)
        .then(pl.when((value > 0) & (fine <= 0)).then(_SMALLEST_PRICE).otherwise(fine))
        .otherwise(value.round(2))
    )
