"""The market's return of each session: the mean of all symbols' total returns.

A table of its own, so that a symbol's beta reads it by session. Computed with the features, the
mean of an early session would need the row before it of every symbol, however long ago that was.
"""

from pipelines.derivations import CHANGES, SCOPE, Cut, Derivation, Reach
from pipelines.tables import CLEAN_PRICES, MARKET_RETURNS

MARKET = "*"
"""Stands in the place of a symbol: all of them. It sorts before every symbol."""

DAYS_APART = 10
"""A return since a bar that is older than so many calendar days is none of the session's."""

# Returns are added as whole multiples of 2^-40 (about 1e-12): the same sum in any order.
_UNIT = float(2**40)
_LARGEST = 1e12

_QUERY = f"""
    WITH moved AS (
        SELECT session,
               total_return_index / nullif(lag(total_return_index) OVER bars, 0) - 1 AS move,
               session - lag(session) OVER bars AS days
        FROM {CLEAN_PRICES.name}_in_reach WINDOW bars AS (PARTITION BY symbol ORDER BY session)
    )
    SELECT '{MARKET}' AS symbol, session,
           sum(CAST(move * {_UNIT!r}::DOUBLE AS HUGEINT))::DOUBLE / {_UNIT!r}::DOUBLE / count(*)
               AS mean_return,
           count(*) AS symbols
    FROM moved
    WHERE days <= {DAYS_APART} AND abs(move) < {_LARGEST!r}
      AND session >= (SELECT from_session FROM {SCOPE} WHERE symbol = '{MARKET}')
    GROUP BY session HAVING count(*) > 1 ORDER BY session
"""

_SCOPE = f"""
    WITH span AS (SELECT min(from_session) AS first, max(to_session) AS last FROM {CHANGES})
    SELECT '{MARKET}' AS symbol, first AS from_session, last AS to_session FROM span
    UNION ALL
    SELECT symbol, first - {DAYS_APART}, last
    FROM (
        SELECT symbol FROM {CLEAN_PRICES.name}
        WHERE session BETWEEN (SELECT first FROM span) AND (SELECT last FROM span)
        GROUP BY symbol
    ) CROSS JOIN span
"""
"""The market's sessions are replaced; symbols stand here to be read, from some days before on."""

MARKET_RETURNS_DERIVATION = Derivation(
    table=MARKET_RETURNS,
    sources=(CLEAN_PRICES,),
    query=_QUERY,
    scope=_SCOPE,
    reach=Reach(0, CLEAN_PRICES, (CLEAN_PRICES,)),
    cut=Cut.SESSIONS,
    forward=1,
    reads=("total_return_index",),
)
