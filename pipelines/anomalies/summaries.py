"""The quality of a night in figures: what it saw first, what waits, how good its bars are.

SQL for the lake with the parameters of a night: `session`, `night_id` and `as_of`. Everything is
asked as of the night, so that a night that is run again tells the same.
"""

from pipelines.anomalies.severity import FOUND, RISING, rank_of

WORST_SYMBOLS = 10

_SEVERITIES = ", ".join(f"'{name}'" for name in RISING)
_SEEN = ",\n           ".join(
    f"(SELECT count(*) FROM seen WHERE severity = '{name}') AS seen_{name}" for name in FOUND
)

SEEN = "SELECT * FROM anomaly_sightings WHERE night_id = $night_id"
"""What the night saw first."""

_OPEN = """
    SELECT withheld.symbol, withheld.session, withheld.revision
    FROM (
        SELECT symbol, session, revision FROM anomaly_sightings
        WHERE data_type = 'daily' AND revision > 0 AND withheld_at <= $as_of
        UNION
        SELECT symbol, session, revision FROM quarantined_prices WHERE known_at <= $as_of
    ) AS withheld
    LEFT JOIN (
        SELECT symbol, session, revision, min(landed_at) AS ended_at
        FROM (
            SELECT symbol, session, revision, landed_at FROM verdicts
            UNION ALL
            SELECT symbol, session, revision - 1, known_at FROM price_revisions WHERE revision > 1
        ) GROUP BY symbol, session, revision
    ) AS ended USING (symbol, session, revision)
    LEFT JOIN quarantined_prices AS still
        ON still.symbol = withheld.symbol AND still.session = withheld.session
       AND still.revision = withheld.revision
    WHERE CASE WHEN ended_at IS NULL THEN still.symbol IS NOT NULL ELSE ended_at > $as_of END
"""
"""Withheld bars that waited for a person: neither judged nor revised by the night's instant."""

FIGURES_QUERY = f"""
    WITH seen AS ({SEEN}),
    waiting AS ({_OPEN}),
    doubtful AS (
        SELECT symbol, bool_or(withheld_at <= $as_of) IS TRUE AS is_withheld
        FROM anomaly_sightings
        WHERE session = $session AND data_type = 'daily' AND sighted_at <= $as_of
          AND severity <> 'low' AND explanation IS NULL
          AND symbol IN (SELECT symbol FROM daily_prices WHERE session = $session)
        GROUP BY symbol
    )
    SELECT (SELECT count(*) FROM daily_prices
            WHERE session = $session AND (known_at <= $as_of OR revision > 1)) AS bars,
           (SELECT count(*) FROM doubtful WHERE is_withheld) AS bars_withheld,
           (SELECT count(*) FROM doubtful WHERE NOT is_withheld) AS bars_suspect,
           {_SEEN},
           (SELECT count(*) FROM waiting) AS open_reviews,
           (SELECT min(session) FROM waiting) AS oldest_open_review,
           (SELECT count(*) FROM verdicts
            WHERE night_id = $night_id AND resolution = 'release') AS released,
           (SELECT count(*) FROM verdicts
            WHERE night_id = $night_id AND resolution = 'confirm') AS confirmed,
           (SELECT count(*) FROM price_revisions
            WHERE night_id = $night_id AND revision > 1) AS revised
"""

TYPES_QUERY = f"""
    SELECT anomaly_type, severity, count(*) AS count FROM ({SEEN})
    GROUP BY anomaly_type, severity
    ORDER BY {rank_of("severity")} DESC, count DESC, anomaly_type
"""

WORST_SYMBOLS_QUERY = f"""
    SELECT symbol, count(*) AS anomalies,
           [{_SEVERITIES}][max({rank_of("severity")})] AS worst_severity
    FROM ({SEEN}) GROUP BY symbol
    ORDER BY max({rank_of("severity")}) DESC, anomalies DESC, symbol LIMIT {WORST_SYMBOLS}
"""

RECENT_QUERY = """
    WITH recent AS (
        SELECT session FROM exchange_sessions WHERE session <= $session
        ORDER BY session DESC LIMIT $sessions
    )
    SELECT recent.session, severity, count(sighting.session) AS count
    FROM recent LEFT JOIN anomaly_sightings AS sighting USING (session)
    GROUP BY ALL ORDER BY ALL
"""
"""Anomalies by session of the bar and severity, of the last `sessions` sessions."""
