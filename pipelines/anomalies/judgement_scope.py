"""Which judgements rest on what changed: SQL for the scope of `price_anomalies`.

A bar is judged by its own symbol's bars before it, and of other symbols by the bars of its session.
So the scope reaches, beside what changed,

- symbols with a bar equal to a changed one, now or when they were judged,
- symbols whose jump was judged by another market-wide move than there is now,
- all symbols, from a session on that nobody had and that has a bar now.
"""

from pipelines.anomalies.catalogue import MARKET
from pipelines.anomalies.panel import FEWEST_SYMBOLS, LONGEST_PAUSE, MARKET_STEP

SAME_BAR = " AND ".join(
    f"own.{name} = other.{name}" for name in ("session", "open", "high", "low", "close", "volume")
)
MARKET_MOVES = f"""
    SELECT session,
           CASE WHEN count(*) >= {FEWEST_SYMBOLS}
                THEN trunc((quantile_disc(move, 0.5) - 1) / {MARKET_STEP})::BIGINT * {MARKET_STEP}
                ELSE 0 END AS market_move
    FROM (
        SELECT session, close * split_coefficient / lag(close) OVER own AS move,
               session - lag(session) OVER own AS days
        FROM daily_prices
        WHERE session >= (SELECT min(from_session) FROM {{changed}}) - {LONGEST_PAUSE}
        WINDOW own AS (PARTITION BY symbol ORDER BY session)
    )
    WHERE isfinite(move) AND move > 0 AND days <= {LONGEST_PAUSE}
    GROUP BY session
"""

SCOPE_QUERY = f"""
    WITH first_change AS (SELECT min(from_session) AS day FROM changes),
    moves AS ({MARKET_MOVES.format(changed="changes")}),
    reached AS (
        SELECT symbol, from_session FROM changes
        UNION ALL
        SELECT other.symbol, other.session
        FROM daily_prices AS own
        JOIN changes ON changes.symbol = own.symbol AND own.session >= changes.from_session
        JOIN daily_prices AS other ON {SAME_BAR} AND own.symbol <> other.symbol
        WHERE own.volume > 0 AND own.high > own.low
        UNION ALL
        SELECT judged.symbol, judged.session
        FROM price_anomalies AS judged
        JOIN changes ON changes.symbol = (judged.evidence ->> '$.twin')
                    AND judged.session >= changes.from_session
        UNION ALL
        SELECT judged.symbol, judged.session
        FROM price_anomalies AS judged LEFT JOIN moves USING (session)
        WHERE judged.session >= (SELECT day FROM first_change)
          AND CAST(judged.evidence ->> '$.market_move' AS DOUBLE)
              <> coalesce(moves.market_move, 0)
        UNION ALL
        SELECT everyone.symbol, missing.session
        FROM price_anomalies AS missing CROSS JOIN (SELECT DISTINCT symbol FROM daily_prices)
            AS everyone
        WHERE missing.symbol = '{MARKET}' AND missing.session >= (SELECT day FROM first_change)
          AND EXISTS (FROM daily_prices AS bar WHERE bar.session = missing.session)
        UNION ALL
        SELECT '{MARKET}', coalesce(
            (SELECT max(session) + 1 FROM daily_prices
             WHERE session < (SELECT day FROM first_change)),
            (SELECT day FROM first_change)
        )
    ),
    earliest AS (SELECT symbol, min(from_session) AS day FROM reached GROUP BY symbol),
    before AS (
        SELECT bar.symbol, max(bar.session) AS last_bar
        FROM daily_prices AS bar JOIN earliest USING (symbol)
        WHERE bar.session < earliest.day GROUP BY bar.symbol
    )
    SELECT symbol, coalesce(before.last_bar + 1, earliest.day)::DATE AS from_session
    FROM earliest LEFT JOIN before USING (symbol)
"""
"""A gap stands at its first missing session: the day after the last bar before the change."""
