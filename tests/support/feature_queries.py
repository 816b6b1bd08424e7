"""Run the statements of features and labels on frames, in a DuckDB of their own."""

from collections.abc import Iterable, Mapping

import duckdb
import polars as pl

from pipelines.derivation_batches import LAST_DAY
from pipelines.derivations import SCOPE, Derivation
from pipelines.features.engine import feature_query, reading_query
from pipelines.features.expressions import Expression
from pipelines.features.groups import FeatureGroup
from pipelines.features.inputs import leaf_columns, reads_market, reads_regimes
from pipelines.features.kernels.frames import feature_frame, panel_of
from pipelines.features.kernels.panel import compute_features
from pipelines.features.market_returns import MARKET_RETURNS_DERIVATION
from pipelines.features.regime_stand_ins import stand_in_states
from pipelines.features.sql import feature_stages, leaf_names
from pipelines.regimes.tables import REGIME_STATES
from pipelines.tables import MARKET_RETURNS
from resources.lake_batches import stage_batch


def run_query(query: str, **relations: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of a statement over the named frames, by symbol and session."""
    with duckdb.connect() as connection:
        connection.execute("SET threads = 1")
        for name, frame in relations.items():
            connection.register(name, frame.to_arrow())
        return connection.sql(query).pl()


def market_of(bars: pl.DataFrame) -> pl.DataFrame:
    """Return the market's returns that follow from all of the bars."""
    changes = bars.group_by("symbol").agg(from_session=pl.col("session").min())
    return derived_rows(MARKET_RETURNS_DERIVATION, bars, changes)[1]


def features_of(
    group: FeatureGroup, bars: pl.DataFrame, changes: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Return a group's table by its SQL, whole or from the changes on."""
    relations = {"clean_prices": bars, **told_of(group, bars)}
    if changes is None:
        rows = run_query(feature_query(group, source="clean_prices"), **relations)
    else:
        query = feature_query(group, source="clean_prices", changes="changes")
        rows = run_query(query, **relations, changes=changes)
    return rows.sort("symbol", "session")


def kernel_features_of(
    group: FeatureGroup, bars: pl.DataFrame, *, told: Mapping[str, pl.DataFrame] | None = None
) -> pl.DataFrame:
    """Return a group's whole table by the compiled kernels.

    Args:
        group: The features.
        bars: Rows of `clean_prices`.
        told: What else it reads, by table, where it does not follow from the bars themselves.
    """
    if bars.is_empty():
        return _no_rows(group.expressions)
    query = reading_query(group, source="clean_prices")
    relations = told_of(group, bars) if told is None else told
    wanted = bars.with_columns(is_wanted=True)
    rows = feature_frame(group, run_query(query, clean_prices=wanted, **relations))
    return rows.sort("symbol", "session")


def derived_rows(
    derivation: Derivation, bars: pl.DataFrame, changes: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the scope of changes and the rows that it should hold, as the lake asks for them.

    `changes` has symbol and from_session, and may have to_session; several rows of a symbol count
    as one.
    """
    to_session = pl.lit(LAST_DAY) if "to_session" not in changes.columns else pl.max("to_session")
    merged = changes.group_by("symbol").agg(pl.min("from_session"), to_session=to_session)
    with duckdb.connect() as connection:
        connection.execute("SET threads = 1")
        connection.register("clean_prices", bars.to_arrow())
        if MARKET_RETURNS in derivation.sources:
            connection.register("market_returns", market_of(bars).to_arrow())
        if REGIME_STATES in derivation.sources:
            connection.register("regime_states", stand_in_states(bars).to_arrow())
        batch = stage_batch(connection, derivation, merged)
        scope = connection.sql(f"FROM {SCOPE}").pl()
        rows = batch.rows() if batch.symbols else _no_rows(derivation.table.value_names)
        return scope, rows.sort("symbol", "session")


def rows_read(derivation: Derivation, bars: pl.DataFrame, changes: pl.DataFrame) -> pl.DataFrame:
    """Return the rows that a derivation reads for changes (symbol, from_session, to_session)."""
    with duckdb.connect() as connection:
        connection.register("clean_prices", bars.to_arrow())
        return stage_batch(connection, derivation, changes).read()


def _no_rows(names: Iterable[str]) -> pl.DataFrame:
    """Return a feature table without rows."""
    schema = {"symbol": pl.String, "session": pl.Date, **dict.fromkeys(names, pl.Float32)}
    return pl.DataFrame(schema=schema)


def told_of(group: FeatureGroup, bars: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return what a group reads beside bars, as it follows from them, by table."""
    told = {}
    if reads_market(group.inputs):
        told["market_returns"] = market_of(bars)
    if reads_regimes(group.inputs):
        told["regime_states"] = stand_in_states(bars)
    return told


def kernel_values_of(tree: Expression, bars: pl.DataFrame) -> pl.DataFrame:
    """Return what `values_of` returns, by the compiled kernels."""
    leaves = leaf_columns(leaf_names({"value": tree}))
    query = f"SELECT symbol, session, {leaves} FROM clean_prices AS bar"
    rows = run_query(query, clean_prices=bars).sort("symbol", "session")
    panel = panel_of(rows.with_columns(is_wanted=True), leaf_names({"value": tree}))
    values = compute_features({"value": tree}, panel)["value"]
    return rows.select("symbol", "session", value=pl.Series(values, nan_to_null=True))


def values_of(tree: Expression, bars: pl.DataFrame) -> pl.DataFrame:
    """Return (symbol, session, value) of one expression in full DOUBLE precision."""
    ctes, last, selected = feature_stages({"value": tree}, base="bars", result_type="DOUBLE")
    leaves = leaf_columns(leaf_names({"value": tree}))
    base = f"bars AS (SELECT symbol, session, {leaves} FROM clean_prices AS bar)"
    query = f"WITH {', '.join([base, *ctes])} SELECT symbol, session, {selected} FROM {last}"
    return run_query(query, clean_prices=bars).sort("symbol", "session")
