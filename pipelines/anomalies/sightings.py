"""Sightings: each anomaly noted once, when it is first seen, and kept for good.

What is wrong with the data now follows from the data and changes with it; since when we know does
not. Key: (symbol, session, data_type, anomaly_type, revision). SQL for the lake; `{at}` stands
behind each table, so that all can be read as of one version.
"""

from pipelines.anomalies.quarantine import CONFIRMED
from pipelines.anomalies.score_columns import finite, isolation_score
from pipelines.anomalies.severity import UNUSUAL_BAR, severity_of_alert

KEY = "symbol, session, data_type, anomaly_type, revision"


def fingerprint_of(relation: str) -> str:
    """Return SQL for 64 bits that tell the rows of a group from any others, whatever their order.

    Another DuckDB version may hash otherwise; then all is compared once and found unchanged.
    """
    return f"printf('%016x', bit_xor(hash({relation})))"


FOUND_NOW = f"""
    SELECT {KEY}, severity, message, evidence, explanation, is_withheld, known_at
    FROM price_anomalies {{at}}
    UNION ALL BY NAME
    SELECT {KEY}, severity, message, evidence, explanation, is_withheld, known_at
    FROM weekly_anomalies {{at}}
    UNION ALL BY NAME
    SELECT symbol, session, data_type, anomaly_type, 0 AS revision,
           arg_max(severity, response_id) AS severity, arg_max(message, response_id) AS message,
           arg_max(evidence, response_id) AS evidence, NULL::VARCHAR AS explanation,
           false AS is_withheld, min(known_at) AS known_at
    FROM body_anomalies {{at}} GROUP BY symbol, session, data_type, anomaly_type
    UNION ALL BY NAME
    SELECT symbol, session, 'daily' AS data_type, rule AS anomaly_type, revision,
           any_value(severity) AS severity, min(message) AS message,
           any_value(json_extract(evidence, '$."' || rule || '"'))::VARCHAR AS evidence,
           NULL::VARCHAR AS explanation, true AS is_withheld, min(known_at) AS known_at
    FROM (
        SELECT symbol, session, revision, unnest(rules) AS rule, unnest(reasons) AS message,
               severity, evidence, known_at
        FROM quarantined_prices {{at}}
    ) AS withheld
    WHERE rule <> '{CONFIRMED}'
      AND rule NOT IN (SELECT anomaly_type FROM body_anomalies {{at}})
      AND NOT EXISTS (
          SELECT 1 FROM price_anomalies AS ruled {{at}}
          WHERE ruled.symbol = withheld.symbol AND ruled.session = withheld.session
            AND ruled.anomaly_type = withheld.rule AND ruled.revision = withheld.revision
      )
    GROUP BY symbol, session, rule, revision
    UNION ALL BY NAME
    SELECT symbol, session, 'daily' AS data_type, '{UNUSUAL_BAR}' AS anomaly_type, revision,
           {severity_of_alert("p_value")} AS severity,
           format('unusual among the bars of its time: {{:.2g}} % of earlier ones were further out',
                  100 * coalesce(p_value, 0)) AS message,
           json_object('p_value', p_value, 'isolation_score', isolation_score,
                       'tail_score', tail_score, 'volume_z_score', volume_z_score,
                       'prophet_score', prophet_score, 'reviewed_score', reviewed_score)::VARCHAR
               AS evidence,
           NULL::VARCHAR AS explanation, false AS is_withheld, NULL::TIMESTAMPTZ AS known_at
    FROM bar_scores AS score {{at}}
    WHERE is_alert AND NOT EXISTS (
        SELECT 1 FROM price_anomalies AS ruled {{at}}
        WHERE ruled.symbol = score.symbol AND ruled.session = score.session
          AND ruled.data_type = 'daily' AND ruled.revision = score.revision
          AND (ruled.severity <> 'low' OR ruled.explanation IS NOT NULL)
    )
"""
"""Every anomaly that stands now: of the rules, of vendor bodies, what else withholds a bar, alerts.

A body that is bad as a whole is one anomaly, however many bars it withholds, and has no revision;
of several bodies that have the same fault, the newest speaks. An alert of the detectors about a bar
of which the rules have something to say adds nothing to it.
"""

NEW_SIGHTINGS_QUERY = f"""
    WITH news AS (
        SELECT found.* FROM ({FOUND_NOW.replace("{at}", "")}) AS found
        ANTI JOIN anomaly_sightings USING ({KEY})
    ), closed AS (
        SELECT news.*, exchange.closes_at
        FROM news ASOF LEFT JOIN exchange_sessions AS exchange ON news.session >= exchange.session
    ), priced AS (
        SELECT closed.*, reference.close AS reference_close
        FROM closed ASOF LEFT JOIN (
            SELECT symbol, session, close FROM clean_prices
            WHERE symbol IN (SELECT symbol FROM news)
        ) AS reference
        ON closed.symbol = reference.symbol AND closed.session > reference.session
    )
    SELECT {", ".join(f"priced.{name}" for name in KEY.split(", "))},
           CASE WHEN coalesce(bar.known_at_basis = 'assumed', priced.known_at < $as_of, false)
                THEN least(coalesce(closes_at, priced.session::TIMESTAMPTZ), $as_of)
                ELSE $as_of END AS first_detected_at,
           $as_of AS sighted_at, $night_id AS night_id,
           severity, coalesce(nullif(message, ''), anomaly_type) AS message,
           coalesce(evidence, '{{}}') AS evidence, explanation,
           {isolation_score("score")} AS isolation_score,
           {finite("score.prophet_score")} AS prophet_score,
           {finite("score.volume_z_score")} AS volume_z_score,
           CASE WHEN bar.revision = priced.revision AND data_type = 'daily'
                 AND isfinite(bar.close * bar.split_coefficient)
                THEN 100 * (bar.close * bar.split_coefficient / reference_close - 1)
           END AS price_change_pct,
           CASE WHEN is_withheld THEN $as_of END AS withheld_at
    FROM priced
    LEFT JOIN daily_prices AS bar
        ON bar.symbol = priced.symbol AND bar.session = priced.session
    LEFT JOIN bar_scores AS score
        ON score.symbol = priced.symbol AND score.session = priced.session
       AND score.revision = priced.revision AND data_type = 'daily'
    ORDER BY ALL
"""
"""Rows of `anomaly_sightings` for what a night (`as_of`, `night_id`) sees first.

History that was loaded at first counts as detected at its own close, anything else now: else a
first load would look like thousands of faults of today. A session without a bar was there before
tonight where the anomaly itself could have been known before.
"""

NEWLY_WITHHELD_QUERY = f"""
    SELECT sighting.* REPLACE ($as_of AS withheld_at)
    FROM anomaly_sightings AS sighting
    SEMI JOIN (SELECT * FROM ({FOUND_NOW.replace("{at}", "")}) WHERE is_withheld) AS found
        USING ({KEY})
    WHERE sighting.withheld_at IS NULL
"""
"""Sightings that were no reason to withhold the bar when first seen, and are one now."""
