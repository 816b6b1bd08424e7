"""Recordings that hold bars alone: neither splits, nor dividends, nor an adjusted close."""

import polars as pl

from pipelines.markets.recorded import BAR_SCHEMA

PRICES = ("open", "high", "low", "close")


def without_actions(bars: pl.DataFrame) -> pl.DataFrame:
    """Return bars in BAR_SCHEMA, by symbol and session, with no action and the close unadjusted."""
    return (
        bars.with_columns(
            pl.col("close").alias("adjusted_close"),
            dividend_amount=pl.lit(0.0),
            split_coefficient=pl.lit(1.0),
        )
        .select(pl.col(name).cast(dtype) for name, dtype in BAR_SCHEMA.items())
        .sort("symbol", "session")
    )
