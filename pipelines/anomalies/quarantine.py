"""The quarantine: bars that rules, the journal of revisions or vendor bodies speak against.

Keyed by (symbol, session), the newest revision of a bar. A person's latest verdict on that very
revision outweighs everything: a released bar is not here, a confirmed one is, whatever the rules
say; but nobody can release a bar that can't be. A withheld bar whose former revision was good keeps
that one in force.
"""

from pipelines.anomalies.body_anomalies import DATE_TWICE, OTHER_SERIES
from pipelines.anomalies.catalogue import ANOMALY_TYPES
from pipelines.anomalies.severity import GRAVE, RISING, quoted, rank_of
from pipelines.anomalies.tables import PRICE_ANOMALIES, QUARANTINED_PRICES, VERDICTS
from pipelines.derivations import Cut, Derivation, Reach
from pipelines.tables import DAILY_PRICES

CORRUPT_REVISION = "corrupt_revision"
"""The rule that a bar breaks whose newest revision is absurd against its former values."""
CONFIRMED = "confirmed_fault"
"""What stands in place of a rule where a person alone withholds a bar."""
WRONG_ACTIONS = (
    *(kind.name for kind in ANOMALY_TYPES.values() if kind.is_action_wrong),
    OTHER_SERIES,
)
"""Rules by which the bar's split and dividend are not to be believed either."""

IMPOSSIBLE = tuple(
    kind.name for kind in ANOMALY_TYPES.values() if set(kind.severities) == {"critical"}
)
"""Rules that nobody can release a bar from: the backend could not hold such a bar."""

_SEVERITIES = ", ".join(f"'{name}'" for name in RISING)

LATEST_VERDICTS = """
    SELECT symbol, session, revision, arg_max(resolution, resolved_at) AS resolution,
           arg_max(note, resolved_at) AS note
    FROM verdicts GROUP BY symbol, session, revision
"""
"""The verdict that counts, of each bar and revision that has one."""

_FROM_OTHER_SERIES = f"""
    FROM daily_prices AS twin JOIN body_anomalies AS body USING (symbol, response_id)
    WHERE twin.symbol = (judged.evidence ->> '$.twin') AND twin.session = judged.session
      AND body.anomaly_type = '{OTHER_SERIES}' AND body.severity IN ({quoted(GRAVE)})
"""
"""Where the other symbol's whole series is a stranger, the bar that it equals is at home."""
_IMPOSSIBLE = ", ".join(f"'{name}'" for name in IMPOSSIBLE)
_JUDGED = f"""
    SELECT bars.symbol, bars.session, judged.anomaly_type AS rule, judged.severity,
           judged.message, judged.evidence
    FROM bars JOIN price_anomalies AS judged USING (symbol, session)
    WHERE (judged.is_withheld OR judged.anomaly_type IN ({_IMPOSSIBLE}))
      AND judged.data_type = 'daily'
      AND NOT (judged.anomaly_type = 'wrong_symbol' AND EXISTS ({_FROM_OTHER_SERIES}))
"""
_CORRUPT = f"""
    SELECT bars.symbol, bars.session, '{CORRUPT_REVISION}' AS rule, 'high' AS severity,
           format('the vendor changed the close from {{}} to {{}} and the adjusted close from {{}} '
                  'to {{}}, which neither the former values nor the days around explain',
                  former.close, bars.close, former.adjusted_close, bars.adjusted_close) AS message,
           former.evidence
    FROM bars JOIN price_revisions AS former USING (symbol, session, revision)
    WHERE former.kind = 'corruption'
"""
_FROM_BAD_BODIES = f"""
    SELECT bars.symbol, bars.session, body.anomaly_type AS rule, body.severity,
           body.message, body.evidence
    FROM bars JOIN body_anomalies AS body USING (symbol, response_id)
    WHERE body.severity IN ({quoted(GRAVE)})
      AND (body.anomaly_type = '{OTHER_SERIES}'
           OR body.anomaly_type = '{DATE_TWICE}' AND body.session = bars.session)
"""
_GOOD_REVISIONS = """
    SELECT former.symbol, former.session, former.revision - 1 AS revision
    FROM price_revisions AS former
    JOIN bars ON bars.symbol = former.symbol AND bars.session = former.session
             AND former.revision BETWEEN 1 AND bars.revision
    LEFT JOIN verdict
        ON verdict.symbol = former.symbol AND verdict.session = former.session
       AND verdict.revision = former.revision - 1
    WHERE CASE verdict.resolution
              WHEN 'release' THEN true WHEN 'confirm' THEN false ELSE former.was_in_force END
"""
"""Former revisions that were in force, or that a person has released."""

_QUERY = f"""
    WITH bars AS (
        SELECT * EXCLUDE (is_wanted) FROM daily_prices_in_reach WHERE is_wanted
    ),
    verdict AS ({LATEST_VERDICTS}),
    found AS ({_JUDGED} UNION ALL {_CORRUPT} UNION ALL {_FROM_BAD_BODIES}),
    broken AS (
        SELECT symbol, session, list(rule ORDER BY rule, message) AS rules,
               list(message ORDER BY rule, message) AS reasons,
               [{_SEVERITIES}][max({rank_of("severity")})] AS severity,
               '{{' || string_agg(format('"{{}}":{{}}', rule, evidence), ',' ORDER BY rule, message)
                   || '}}' AS evidence,
               bool_or(rule IN ({_IMPOSSIBLE})) AS is_impossible
        FROM found GROUP BY symbol, session
    ),
    good AS (
        SELECT symbol, session, max(revision) AS revision
        FROM ({_GOOD_REVISIONS}) GROUP BY symbol, session
    )
    SELECT bars.*, coalesce(broken.rules, ['{CONFIRMED}']) AS rules,
           coalesce(broken.reasons, [coalesce(verdict.note, 'a person withholds it')]) AS reasons,
           coalesce(broken.severity, 'high') AS severity,
           coalesce(broken.evidence, '{{}}') AS evidence,
           verdict.resolution, good.revision AS in_force_revision
    FROM bars
    LEFT JOIN broken USING (symbol, session)
    LEFT JOIN verdict USING (symbol, session, revision)
    LEFT JOIN good USING (symbol, session)
    WHERE CASE verdict.resolution
              WHEN 'release' THEN coalesce(broken.is_impossible, false)
              WHEN 'confirm' THEN true
              ELSE broken.symbol IS NOT NULL END
    ORDER BY symbol, session
"""

QUARANTINE_DERIVATION = Derivation(
    table=QUARANTINED_PRICES,
    # What the journal and bodies say of a bar comes in the transaction that changes the bar.
    sources=(DAILY_PRICES, PRICE_ANOMALIES, VERDICTS),
    query=_QUERY,
    reach=Reach(0, DAILY_PRICES, (DAILY_PRICES,)),
    cut=Cut.SYMBOLS,
)
