"""Documents of a price series, made from bars in memory as publishing makes them from the lake."""

from collections.abc import Mapping

import duckdb
import polars as pl

from pipelines.documents.price_bar import PriceBar
from pipelines.documents.price_series import Chunk, PriceSeries


def documents_of(series: PriceSeries, clean: pl.DataFrame) -> list[PriceBar]:
    """Return the documents of all bars."""
    chunks = list(fingerprints_of(series, clean))
    rows = _answer(
        series.rows_query(),
        clean,
        {"symbols": [symbol for symbol, _ in chunks], "names": [name for _, name in chunks]},
    )
    return list(series.documents(rows, source="sample"))


def fingerprints_of(series: PriceSeries, clean: pl.DataFrame) -> dict[Chunk, str]:
    """Return the fingerprint of every chunk."""
    rows = _answer(series.fingerprints_query(), clean, {})
    return {(row["symbol"], row["chunk"]): row["fingerprint"] for row in rows.iter_rows(named=True)}


def _answer(query: str, clean: pl.DataFrame, parameters: Mapping[str, object]) -> pl.DataFrame:
    """Run a series' SQL with the bars as clean_prices."""
    with duckdb.connect() as connection:
        connection.register("clean_prices", clean.to_arrow())
        return connection.sql(query.replace("{at}", ""), params=dict(parameters)).pl()
