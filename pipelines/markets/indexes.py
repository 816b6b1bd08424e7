"""Indexes: the level of a market or of its implied volatility, apart from the bars of symbols.

Names are the vendor's. An index has neither shares nor dividends, so nothing of it is adjusted.
"""

from collections.abc import Mapping
from types import MappingProxyType

import polars as pl

INDEX_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "SPX": "S&P 500 INDEX",
        "NDX": "NASDAQ 100 INDEX",
        "COMP": "NASDAQ COMPOSITE INDEX",
        "VIX": "CBOE VOLATILITY INDEX",
    }
)
"""The indexes that the desk keeps, and their names at the vendor."""

INDEX_VALUES = ("open", "high", "low", "close")
INDEX_SCHEMA = pl.Schema(
    {
        "symbol": pl.String(),
        "session": pl.Date(),
        **{name: pl.Float64() for name in INDEX_VALUES},
    }
)
"""What a vendor sends of an index; only the close is always there."""


def no_indexes() -> pl.DataFrame:
    """Return a frame of no index."""
    return pl.DataFrame(schema=INDEX_SCHEMA)
