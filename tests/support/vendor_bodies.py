"""Bodies of the vendor's daily bars, in its own words."""

import polars as pl

from pipelines.vendor.answers import Account, answer
from pipelines.vendor.requests import daily_request


def daily_body(bars: pl.DataFrame) -> str:
    """Return one symbol's bars as the vendor would send them in full."""
    (symbol,) = bars["symbol"].unique()
    query = {**daily_request(symbol, "full").query, "apikey": "any"}
    return answer({symbol: bars}, query, account=Account())
