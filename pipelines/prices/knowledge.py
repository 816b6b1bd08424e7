"""What was known at an instant: SQL over the newest bars and the journal of what they were before.

A revision of a bar was known from the instant that made it until the instant that made the next.
Former values stand in `price_revisions`; an adjusted close that dividends have moved since is moved
back by their factors, to the digits of these.
"""

from pipelines.table import BAR_COLUMNS, REVISION_COLUMNS

_VALUES = [column.name for column in BAR_COLUMNS]
_KNOWLEDGE = [column.name for column in REVISION_COLUMNS]

ASSUMED, OBSERVED = "assumed", "observed"

_OTHERS = ", ".join(name for name in _VALUES if name != "adjusted_close")
_CHANGES = "PARTITION BY symbol, session ORDER BY revision"


def prices_as_known_query(instant: str = "$instant") -> str:
    """Return SQL for the rows of `daily_prices` as they were known at an instant.

    Columns are those of the table: `known_at_basis` tells what was seen at the time (`observed`)
    from history that is only taken to have been known when it was final (`assumed`). `revision` is
    the one that was the newest then.

    Args:
        instant: SQL for the instant, by default the parameter `$instant`.
    """
    return f"""
        WITH revised AS (
            SELECT symbol, session, {", ".join(_VALUES)},
                   coalesce(lag(known_at) OVER ({_CHANGES}), known_before) AS known_at,
                   coalesce(basis_before, CASE WHEN lag(known_at) OVER ({_CHANGES}) IS NULL
                                               THEN '{ASSUMED}' ELSE '{OBSERVED}' END)
                       AS known_at_basis,
                   revision - 1 AS revision,
                   coalesce(response_before, lag(response_id) OVER ({_CHANGES}), 0) AS response_id,
                   known_at AS known_until
            FROM price_revisions WHERE revision > 0
        ), every AS (
            SELECT symbol, session, {", ".join(_VALUES)}, {", ".join(_KNOWLEDGE)},
                   NULL::TIMESTAMPTZ AS known_until
            FROM daily_prices
            UNION ALL
            FROM revised
        ), then_known AS (
            FROM every
            WHERE known_at <= {instant} AND (known_until IS NULL OR known_until > {instant})
            QUALIFY revision = max(revision) OVER (PARTITION BY symbol, session)
        ), moved AS (
            SELECT bar.symbol, bar.session, product(range.factor) AS factor
            FROM then_known AS bar JOIN price_revisions AS range
              ON range.symbol = bar.symbol AND range.revision = 0
             AND bar.session BETWEEN range.from_session AND range.through_session
             AND range.known_at > {instant}
             AND (bar.known_until IS NULL OR range.known_at < bar.known_until)
            GROUP BY bar.symbol, bar.session
        )
        SELECT symbol, session, {_OTHERS}, adjusted_close / coalesce(factor, 1) AS adjusted_close,
               {", ".join(_KNOWLEDGE)}
        FROM then_known LEFT JOIN moved USING (symbol, session)
        ORDER BY symbol, session"""


KEPT_AS_KNOWN = {
    "price_revisions": "SELECT * FROM price_revisions WHERE known_at <= $instant",
    "body_anomalies": "SELECT * FROM body_anomalies WHERE known_at <= $instant",
    "verdicts": "SELECT * FROM verdicts WHERE landed_at <= $instant",
    "exchange_sessions": "SELECT * FROM exchange_sessions WHERE closes_at <= $instant",
}
"""What else was known at `$instant` of that which judgements rest on, by table."""
