"""Run the statements of features and labels on frames, in a DuckDB of their own."""

import duckdb
import polars as pl

from pipelines.derivations import Derivation
from pipelines.features.engine import feature_query
from pipelines.features.expressions import Expression
from pipelines.features.groups import FeatureGroup
from pipelines.features.inputs import leaf_columns
from pipelines.features.sql import feature_stages, leaf_names


def run_query(query: str, **relations: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of a statement over the named frames, by symbol and session."""
    with duckdb.connect() as connection:
        connection.execute("SET threads = 1")
        for name, frame in relations.items():
            connection.register(name, frame.to_arrow())
        return connection.sql(query).pl()


def features_of(
    group: FeatureGroup, bars: pl.DataFrame, changes: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Return a group's table, whole or from the changes on."""
    if changes is None:
        rows = run_query(feature_query(group, source="clean_prices"), clean_prices=bars)
    else:
        query = feature_query(group, source="clean_prices", changes="changes")
        rows = run_query(query, clean_prices=bars, changes=changes)
    return rows.sort("symbol", "session")


def derived_rows(
    derivation: Derivation, bars: pl.DataFrame, changes: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the scope of changes and the rows that it should hold, as the lake asks for them."""
    scope = run_query(derivation.scope, clean_prices=bars, changes=changes)
    rows = run_query(derivation.query, clean_prices=bars, changes=changes, scope=scope)
    return scope, rows.sort("symbol", "session")


def values_of(tree: Expression, bars: pl.DataFrame) -> pl.DataFrame:
    """Return (symbol, session, value) of one expression in full DOUBLE precision."""
    ctes, last, selected = feature_stages({"value": tree}, base="bars", result_type="DOUBLE")
    leaves = leaf_columns(leaf_names({"value": tree}))
    base = f"bars AS (SELECT symbol, session, {leaves} FROM clean_prices AS bar)"
    query = f"WITH {', '.join([base, *ctes])} SELECT symbol, session, {selected} FROM {last}"
    return run_query(query, clean_prices=bars).sort("symbol", "session")
