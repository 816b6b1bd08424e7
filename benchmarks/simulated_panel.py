"""The training panel of a simulated market, made by the functions that the night uses.

Bars → total returns → features and labels by the same SQL over DuckDB, some symbols at a time but
for features that look at a whole session. Only the vendor and the lake are left out.
"""

from dataclasses import dataclass

import duckdb
import polars as pl

from pipelines.features.catalogue import SIGNAL_GROUPS
from pipelines.features.engine import feature_query
from pipelines.labels import label_query
from pipelines.markets.simulated import simulate_chunks
from pipelines.markets.simulation.settings import SimulationSettings
from pipelines.prices.total_return import chain_total_returns
from pipelines.signals.usable_rows import PANEL_KEY

FEATURES = tuple(name for group in SIGNAL_GROUPS for name in group.expressions)


@dataclass(frozen=True, eq=False)
class SimulatedPanel:
    """`rows` as training takes them, all features of a row beside its label, and the truth.

    `chances` has symbol, session and the true probability that the next session ends higher.
    """

    rows: pl.DataFrame
    chances: pl.DataFrame


def simulated_panel(settings: SimulationSettings) -> SimulatedPanel:
    """Make a market and its panel, by session and symbol."""
    rows, clean, chances = [], [], []
    sessions = pl.DataFrame({"session": settings.days})
    for chunk in simulate_chunks(settings):
        clean.append(clean_prices(chunk.bars))
        rows.append(_labelled(clean[-1], sessions))
        chances.append(chunk.chances)
    panel = _with_features(pl.concat(rows), pl.concat(clean), session_wide=True)
    return SimulatedPanel(
        panel.select(PANEL_KEY + FEATURES).sort("session", "symbol"), pl.concat(chances)
    )


def clean_prices(bars: pl.DataFrame) -> pl.DataFrame:
    """Return the bars as rows of `clean_prices`; simulated ones break no rule."""
    return chain_total_returns(
        bars.with_columns(
            known_at=pl.col("session").cast(pl.Datetime("us", "UTC")),
            is_clean=True,
            is_seed=False,
            seed_split_factor=pl.lit(None, dtype=pl.Float64),
            seed_units=pl.lit(None, dtype=pl.Float64),
        )
    )


def _labelled(clean: pl.DataFrame, sessions: pl.DataFrame) -> pl.DataFrame:
    """Return the labelled rows of some symbols with the features that need no other symbol."""
    with duckdb.connect() as connection:
        connection.register("clean_prices", clean.to_arrow())
        connection.register("exchange_sessions", sessions.to_arrow())
        labels = label_query(source="clean_prices", sessions="exchange_sessions")
        rows = connection.sql(labels).pl().select(PANEL_KEY)
    return _with_features(rows, clean, session_wide=False)


def _with_features(rows: pl.DataFrame, clean: pl.DataFrame, *, session_wide: bool) -> pl.DataFrame:
    """Return `rows` with the features of the groups that look at whole sessions, or of those not.

    Args:
        rows: symbol and session, and anything else.
        clean: the bars, of all symbols for groups that look at whole sessions.
        session_wide: which groups.
    """
    with duckdb.connect() as connection:
        connection.register("clean_prices", clean.to_arrow())
        for group in SIGNAL_GROUPS:
            if group.is_session_wide is session_wide:
                features = connection.sql(feature_query(group, source="clean_prices")).pl()
                rows = rows.join(features, on=["symbol", "session"], how="left")
    return rows
