"""How `price_anomalies` follows from the bars of the lake and the verdicts of people.

The lake's query gives each bar the facts that `pipelines.anomalies.panel` gives to histories in
memory; tests hold that both judge alike, and that nights judge as the whole history does.
"""

import polars as pl

from pipelines.anomalies.absences import sessions_missing_for_all
from pipelines.anomalies.bar_facts import BAR_FACTS_QUERY, MARKET_FACTS
from pipelines.anomalies.catalogue import MARKET
from pipelines.anomalies.judgement_scope import SCOPE_QUERY
from pipelines.anomalies.judging import KEY, judge_bars
from pipelines.anomalies.panel import BAR_FACTS, PANEL_FACTS
from pipelines.anomalies.tables import PRICE_ANOMALIES, VERDICTS
from pipelines.derivations import Cut, Derivation
from pipelines.tables import DAILY_PRICES


def judge_lake_bars(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of `price_anomalies` for the rows of the query."""
    is_market = pl.col("symbol") == MARKET
    facts = {**BAR_FACTS, **PANEL_FACTS}
    bars = (
        rows.filter(~is_market)
        .with_columns(is_date_twice=False)
        .select(pl.col(name).cast(dtype) for name, dtype in facts.items())
        .with_columns(
            pl.col("was_foreign", "is_session", "is_early", "is_doubted").fill_null(value=False),
            pl.col("market_move").fill_null(0.0),
        )
        .sort("symbol", "session")
    )
    missing = rows.filter(is_market).select("symbol", "session", "known_at")
    return pl.concat([judge_bars(bars), sessions_missing_for_all(missing)]).sort(KEY)


PRICE_ANOMALIES_DERIVATION = Derivation(
    table=PRICE_ANOMALIES,
    sources=(DAILY_PRICES, VERDICTS),
    query=BAR_FACTS_QUERY,
    scope=SCOPE_QUERY,
    transform=judge_lake_bars,
    revision="3",
    cut=Cut.SCOPE,
    prepared=MARKET_FACTS,
)
