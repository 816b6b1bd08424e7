"""Documents of a price series, made from bars in memory as publishing makes them from the lake."""

from collections.abc import Mapping, Sequence
from datetime import date

import duckdb
import polars as pl

from pipelines.anomalies.tables import (
    BAR_SCORES,
    PRICE_ANOMALIES,
    QUARANTINED_PRICES,
    VERDICTS,
)
from pipelines.documents.price_bar import PriceBar
from pipelines.documents.price_series import Chunk, PriceSeries
from pipelines.table import create_statement

Findings = Mapping[str, pl.DataFrame]
"""Rows of the quality stage's tables, by table."""

NOTHING_FOUND: Findings = {}


def documents_of(
    series: PriceSeries, clean: pl.DataFrame, *, findings: Findings = NOTHING_FOUND
) -> list[PriceBar]:
    """Return the documents of all bars."""
    chunks = list(fingerprints_of(series, clean, findings=findings))
    rows = rows_of(series, clean, chunks, findings=findings)
    return list(series.documents(rows, source="sample"))


def since_of(series: PriceSeries, clean: pl.DataFrame, chunks: Sequence[Chunk]) -> date:
    """Return the session from which the rows of some chunks follow."""
    parameters = {
        "symbols": [symbol for symbol, _ in chunks],
        "firsts": [series.chunking.bounds_of(name)[0].date() for _, name in chunks],
    }
    since: date = _answer(series.since_query(), {"clean_prices": clean}, parameters).item()
    return since


def rows_of(
    series: PriceSeries,
    clean: pl.DataFrame,
    chunks: Sequence[Chunk],
    *,
    findings: Findings = NOTHING_FOUND,
) -> pl.DataFrame:
    """Return the rows of some chunks, as publishing reads them."""
    parameters = {
        "symbols": [symbol for symbol, _ in chunks],
        "names": [name for _, name in chunks],
        "since": since_of(series, clean, chunks),
    }
    return _answer(series.rows_query(), {"clean_prices": clean, **findings}, parameters)


def fingerprints_of(
    series: PriceSeries, clean: pl.DataFrame, *, findings: Findings = NOTHING_FOUND
) -> dict[Chunk, str]:
    """Return the fingerprint of every chunk."""
    rows = _answer(series.fingerprints_query(), {"clean_prices": clean, **findings}, {})
    return {(row["symbol"], row["chunk"]): row["fingerprint"] for row in rows.iter_rows(named=True)}


def _answer(query: str, tables: Findings, parameters: Mapping[str, object]) -> pl.DataFrame:
    """Run a series' SQL on tables of which those that are not given are empty."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'; ATTACH ':memory:' AS lake; USE lake")
        for table in (PRICE_ANOMALIES, BAR_SCORES, QUARANTINED_PRICES, VERDICTS):
            if table.name not in tables:
                connection.execute(create_statement(table, catalog="lake"))
        for name, rows in tables.items():
            connection.register(name, rows.to_arrow())
        return connection.sql(query.replace("{at}", ""), params=dict(parameters)).pl()
