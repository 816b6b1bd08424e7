"""Symbols whose history has a hole so large and so near that their features mean something else.

Features count rows: five rows over a hole of half a year are no return of five sessions. A free key
leaves such a hole where a symbol was not asked for in over 100 sessions.
"""

LARGEST_HOLE_SESSIONS = 21
"""A month without a bar; shorter halts are news that the market has seen, too."""
ROWS_AFTER = 63
"""Rows after which a hole no longer counts. All but a few features then look at rows after it."""
SESSIONS_LOOKED_AT = 252

INTERRUPTED_QUERY = f"""
    WITH calendar AS (
        SELECT session, row_number() OVER (ORDER BY session) AS number FROM exchange_sessions
    ), reach AS (
        SELECT min(number) - {SESSIONS_LOOKED_AT} AS first, max(number) AS last
        FROM calendar WHERE list_contains($sessions, session)
    ), begun AS (
        SELECT symbol, max(number) AS before
        FROM clean_prices JOIN calendar USING (session), reach WHERE number < first GROUP BY symbol
    ), bars AS (
        SELECT symbol, session, number,
               number - coalesce(lag(number) OVER rows_of, before) - 1 AS missing,
               row_number() OVER rows_of AS place
        FROM clean_prices JOIN calendar USING (session) LEFT JOIN begun USING (symbol), reach
        WHERE number BETWEEN first AND last
        WINDOW rows_of AS (PARTITION BY symbol ORDER BY number)
    )
    SELECT DISTINCT bars.symbol, bars.session
    FROM bars JOIN bars AS hole ON hole.symbol = bars.symbol
        AND hole.missing > {LARGEST_HOLE_SESSIONS}
        AND bars.place BETWEEN hole.place AND hole.place + {ROWS_AFTER - 1}
    WHERE list_contains($sessions, bars.session)
    ORDER BY ALL
"""
"""SQL for symbol and session of the `$sessions` that stand too near behind a hole."""
