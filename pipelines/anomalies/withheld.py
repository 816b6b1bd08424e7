"""Every bar that was ever withheld, as rows for the documents `quarantined_prices`.

That is known from four places: what is withheld now, what a sighting says was, what was not in
force when the vendor revised it, and what a person has judged.

SQL for the lake; `{at}` stands behind each table, `$symbols` are the symbols asked for. A bar that
the vendor has revised since is taken from the journal of revisions: a row there holds what stood
before its change.
"""

from pipelines.anomalies.events import LATEST_VERDICTS
from pipelines.anomalies.severity import RISING, rank_of
from pipelines.anomalies.sightings import fingerprint_of

BARS = (
    *("open", "high", "low", "close", "volume"),
    *("adjusted_close", "dividend_amount", "split_coefficient"),
)
_BAR_COLUMNS = ", ".join(BARS)


def _number(name: str) -> str:
    """Return SQL for a figure of a bar; null where it is none that a document can hold."""
    return f"CASE WHEN isfinite(bars.{name}::DOUBLE) THEN bars.{name} END AS {name}"


_EVERY_KEY = """
    SELECT symbol, session, revision FROM quarantined_prices {at}
    UNION
    SELECT symbol, session, revision FROM anomaly_sightings {at}
    WHERE withheld_at IS NOT NULL AND data_type = 'daily' AND revision > 0
    UNION
    SELECT symbol, session, revision - 1 AS revision FROM price_revisions {at}
    WHERE NOT was_in_force AND revision > 1
    UNION
    SELECT symbol, session, revision FROM verdicts {at} WHERE revision > 0
"""

_ASKED = "symbol IN (SELECT unnest($symbols))"

WITHHELD_QUERY = f"""
    WITH keys AS (SELECT * FROM ({_EVERY_KEY}) WHERE {_ASKED}),
    newest AS (SELECT * FROM daily_prices {{at}}
               SEMI JOIN (SELECT DISTINCT symbol, session FROM keys) USING (symbol, session)),
    journal AS (SELECT * FROM price_revisions {{at}} WHERE {_ASKED}),
    bars AS (
        SELECT symbol, session, revision, {_BAR_COLUMNS}, known_at FROM newest
        UNION ALL BY NAME
        SELECT symbol, session, revision - 1 AS revision, {_BAR_COLUMNS},
               NULL::TIMESTAMPTZ AS known_at
        FROM journal WHERE revision > 1
    ),
    sightings AS (
        SELECT symbol, session, revision,
               list(anomaly_type ORDER BY anomaly_type) AS rules,
               list(message ORDER BY anomaly_type) AS reasons,
               [{", ".join(f"'{name}'" for name in RISING)}][max({rank_of("severity")})]
                   AS severity,
               to_json(map(list(anomaly_type ORDER BY anomaly_type),
                           list(try_cast(evidence AS JSON) ORDER BY anomaly_type)))::VARCHAR
                   AS evidence,
               min(first_detected_at) AS first_detected_at
        FROM anomaly_sightings {{at}}
        WHERE {_ASKED} AND data_type = 'daily'
          AND withheld_at IS NOT NULL
        GROUP BY symbol, session, revision
    ),
    verdict AS (SELECT * FROM ({LATEST_VERDICTS}) WHERE {_ASKED}),
    withheld AS (SELECT * FROM quarantined_prices {{at}} WHERE {_ASKED}),
    good AS (
        SELECT keys.symbol, keys.session, keys.revision, max(bars.revision) AS last_good_revision
        FROM keys JOIN bars ON bars.symbol = keys.symbol AND bars.session = keys.session
                           AND bars.revision < keys.revision
        ANTI JOIN keys AS other
            ON other.symbol = bars.symbol AND other.session = bars.session
           AND other.revision = bars.revision
        GROUP BY ALL
    )
    SELECT keys.*, {", ".join(_number(name) for name in BARS)},
           coalesce(withheld.severity, sighting.severity, 'high') AS severity,
           coalesce(withheld.rules, sighting.rules, []) AS rules,
           coalesce(withheld.reasons, sighting.reasons, []) AS reasons,
           coalesce(withheld.evidence, sighting.evidence, '{{}}') AS evidence,
           coalesce(sighting.first_detected_at, withheld.known_at, verdict.resolved_at)
               AS first_detected_at,
           CASE WHEN newest.revision > keys.revision THEN 'superseded'
                WHEN verdict.resolution = 'release' THEN 'released'
                WHEN verdict.resolution = 'confirm' THEN 'confirmed'
                WHEN withheld.symbol IS NULL THEN 'withdrawn'
                ELSE 'open' END AS status,
           withheld.symbol IS NOT NULL AS is_withheld,
           coalesce(withheld.in_force_revision, good.last_good_revision) AS last_good_revision
    FROM keys
    JOIN bars USING (symbol, session, revision)
    LEFT JOIN newest ON newest.symbol = keys.symbol AND newest.session = keys.session
    LEFT JOIN sightings AS sighting USING (symbol, session, revision)
    LEFT JOIN verdict USING (symbol, session, revision)
    LEFT JOIN withheld USING (symbol, session, revision)
    LEFT JOIN good USING (symbol, session, revision)
    ORDER BY keys.symbol, keys.session, keys.revision
"""
"""The bars of some symbols as the vendor sent them, why they were withheld and what became of it.

`last_good_revision` is the newest earlier revision that nobody objected to: it is in force.
"""

WITHHELD_BY_SYMBOL_QUERY = f"""
    SELECT symbol, count(*) AS documents, {fingerprint_of("bars")} AS fingerprint, false AS waits
    FROM ({WITHHELD_QUERY.replace(_ASKED, "true")}) AS bars GROUP BY symbol ORDER BY symbol
"""
"""What the documents of each symbol are made from."""
