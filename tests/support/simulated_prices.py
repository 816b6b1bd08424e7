"""Simulated bars as clean prices and as labels, by the functions that the night uses."""

import polars as pl

from pipelines.labels import label_query
from pipelines.prices.total_return import chain_total_returns
from tests.support.feature_queries import run_query


def clean_prices_of(bars: pl.DataFrame) -> pl.DataFrame:
    """Return bars as rows of `clean_prices`, all of them trusted."""
    return chain_total_returns(
        bars.with_columns(
            known_at=pl.col("session").cast(pl.Datetime("us", "UTC")),
            is_clean=True,
            is_seed=False,
            seed_split_factor=pl.lit(None, dtype=pl.Float64),
            seed_units=pl.lit(None, dtype=pl.Float64),
        )
    )


def labels_of(bars: pl.DataFrame) -> pl.DataFrame:
    """Return the next-session labels of bars."""
    clean = clean_prices_of(bars)
    query = label_query(source="clean_prices", sessions="clean_prices")
    return run_query(query, clean_prices=clean)
