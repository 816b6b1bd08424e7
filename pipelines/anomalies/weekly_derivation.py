"""How `weekly_anomalies` follows from the vendor's weekly and daily bars of the lake.

A week is judged where every session of it, up to the weekly bar's own, has a daily bar: what is
missing is named by other rules, and would be no contradiction.
"""

import polars as pl

from pipelines.anomalies.tables import WEEKLY_ANOMALIES
from pipelines.anomalies.weekly import weekly_disagreements
from pipelines.derivations import CHANGES, Cut, Derivation
from pipelines.tables import DAILY_PRICES, WEEKLY_PRICES

_SCOPE = f"""
    SELECT symbol, date_trunc('week', from_session)::DATE AS from_session FROM {CHANGES}
"""
_BARS = "symbol, session, open, high, low, close, volume, known_at"

_QUERY = f"""
    WITH scoped AS ({_SCOPE}),
    weekly AS (
        SELECT {_BARS}, date_trunc('week', session)::DATE AS week
        FROM weekly_prices JOIN scoped USING (symbol) WHERE session >= from_session
    ), daily AS (
        SELECT {_BARS}, split_coefficient, date_trunc('week', session)::DATE AS week
        FROM daily_prices JOIN scoped USING (symbol) WHERE session >= from_session
    ), held AS (
        SELECT weekly.symbol, weekly.session, weekly.week, count(*) AS days
        FROM weekly JOIN daily ON daily.symbol = weekly.symbol AND daily.week = weekly.week
                              AND daily.session <= weekly.session
        GROUP BY ALL
    ), whole AS (
        SELECT symbol, held.session, held.week FROM held
        JOIN exchange_sessions AS exchange
          ON exchange.session BETWEEN held.week AND held.session
        GROUP BY ALL HAVING count(*) = any_value(days)
    )
    SELECT true AS is_weekly, weekly.* EXCLUDE (week), 1.0 AS split_coefficient
    FROM weekly SEMI JOIN whole USING (symbol, session)
    UNION ALL BY NAME
    SELECT false AS is_weekly, daily.* EXCLUDE (week)
    FROM daily SEMI JOIN whole USING (symbol, week)
"""


def judge_weeks(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of `weekly_anomalies` for the rows of the query."""
    weekly, daily = rows.filter("is_weekly"), rows.filter(~pl.col("is_weekly"))
    return weekly_disagreements(weekly.drop("is_weekly", "split_coefficient"), daily)


WEEKLY_ANOMALIES_DERIVATION = Derivation(
    table=WEEKLY_ANOMALIES,
    sources=(WEEKLY_PRICES, DAILY_PRICES),
    query=_QUERY,
    scope=_SCOPE,
    transform=judge_weeks,
    cut=Cut.SYMBOLS,
)
