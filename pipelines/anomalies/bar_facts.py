"""What the lake knows of each bar to be judged: SQL for BAR_FACTS and PANEL_FACTS.

Of a symbol it reads the last 64 bars that were not withheld and all since, with how those were
judged. Sessions that no symbol has come as rows of the symbol `MARKET`.
"""

from pipelines.anomalies.body_anomalies import OTHER_SERIES
from pipelines.anomalies.catalogue import MARKET
from pipelines.anomalies.judgement_scope import MARKET_MOVES, SAME_BAR
from pipelines.anomalies.measures import WINDOW
from pipelines.anomalies.panel import (
    IN_FORCE,
    OVERNIGHT_DEVIATION,
    PRICE_DEVIATION,
    TWIN_ROWS,
    VOLUME_DEVIATION,
)
from pipelines.anomalies.severity import GRAVE, quoted
from pipelines.calendar import EARLY_BESIDE, EARLY_MINUTES

CONTEXT = WINDOW + 1
"""Bars that were not withheld, before the first one to judge."""

_JUDGED_BEFORE = """
    SELECT symbol, session, bool_or(is_withheld) AS was_withheld,
           bool_or(anomaly_type = 'wrong_symbol' AND twin IS NOT NULL) AS was_foreign,
           any_value(twin) AS twin,
           any_value(level) FILTER (level <> 0) AS was_level,
           any_value(anomaly_type) FILTER (level <> 0) AS was_type,
           any_value(since) FILTER (level <> 0) AS was_since
    FROM (
        SELECT judged.*, evidence ->> '$.twin' AS twin,
               CAST(evidence ->> '$.level' AS DOUBLE) AS level,
               CAST(evidence ->> '$.since' AS DATE) AS since
        FROM price_anomalies AS judged JOIN scoped USING (symbol)
        WHERE judged.session < scoped.from_session AND revision > 0 AND data_type = 'daily'
    )
    GROUP BY symbol, session
"""
_SCOPED = f"SELECT * FROM scope WHERE symbol <> '{MARKET}'"
_NIGHTS = "SELECT session, min(known_at) AS known_at FROM daily_prices GROUP BY session"
_STARTS = f"""
    SELECT bar.symbol,
           CASE WHEN count(*) >= {CONTEXT} THEN list_min(max(bar.session, {CONTEXT}))
                ELSE DATE '0001-01-01' END AS start
    FROM daily_prices AS bar JOIN scoped USING (symbol)
    WHERE bar.session < scoped.from_session
      AND NOT EXISTS (FROM judged_before AS earlier
                      WHERE earlier.symbol = bar.symbol AND earlier.session = bar.session
                        AND earlier.was_withheld)
    GROUP BY bar.symbol
"""
_MINUTE = "(epoch(closes_at) - epoch(known.session::TIMESTAMP)) / 60"
_CALENDAR = f"""
    SELECT known.session, closes_at,
           coalesce({_MINUTE} < max({_MINUTE}) OVER (
               ordered ROWS BETWEEN {EARLY_BESIDE} PRECEDING AND 1 PRECEDING
           ) - {EARLY_MINUTES}, false) AS is_early, row_number() OVER ordered AS session_number,
           count(nights.session) OVER (ordered ROWS UNBOUNDED PRECEDING) AS traded_number,
           max(nights.session) OVER (ordered ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
               AS traded_before,
           min(nights.session) OVER (ordered ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)
               AS traded_after,
           nights.session IS NOT NULL AS has_bars
    FROM exchange_sessions AS known LEFT JOIN nights_with_bars AS nights USING (session)
    WINDOW ordered AS (ORDER BY known.session)
"""
_DAYS = """
    SELECT every.day, calendar.* EXCLUDE (session, closes_at, has_bars, is_early),
           coalesce(calendar.session = every.day, false) AS is_session,
           is_session AND calendar.is_early AS is_early,
           CASE WHEN is_session THEN closes_at END AS closes_at,
           coalesce(moves.market_move, 0) AS market_move
    FROM (
        SELECT unnest(generate_series(min(session), max(session), INTERVAL 1 DAY))::DATE AS day
        FROM nights_with_bars
    ) AS every
    ASOF LEFT JOIN exchange_calendar AS calendar ON every.day >= calendar.session
    LEFT JOIN market_moves AS moves ON moves.session = every.day
"""
_EQUAL_BARS = f"""
    SELECT own.symbol, own.session, own.open, own.close, own.volume, other.symbol AS twin,
           CASE WHEN own.split_coefficient > 0 THEN own.split_coefficient ELSE 1 END AS split
    FROM daily_prices AS own
    JOIN scope ON scope.symbol = own.symbol AND own.session >= scope.from_session
    JOIN daily_prices AS other ON {SAME_BAR} AND own.symbol <> other.symbol
    WHERE own.volume > 0 AND own.high > own.low
"""
_USUAL = f"""
    SELECT symbol, session, lag(close) OVER own AS usual_close,
           median(volume) OVER (own ROWS BETWEEN {TWIN_ROWS} PRECEDING AND 1 PRECEDING)
               AS usual_volume
    FROM daily_prices
    WHERE symbol IN (SELECT symbol FROM equal UNION SELECT twin FROM equal)
    WINDOW own AS (PARTITION BY symbol ORDER BY session)
"""
_MISFIT = f"""
    sqrt(pow(ln(equal.open / (other.usual_close / split)) / {OVERNIGHT_DEVIATION}, 2)
         + pow(ln(equal.close / (other.usual_close / split)) / {PRICE_DEVIATION}, 2)
         + pow(ln(equal.volume / (other.usual_volume * split)) / {VOLUME_DEVIATION}, 2))
"""
_HAS_LOGARITHMS = (
    "least(equal.open, equal.close, equal.volume, other.usual_close, other.usual_volume) > 0"
)
_TWINS = f"""
    SELECT equal.symbol, equal.session, equal.twin, own.usual_close, own.usual_volume,
           other.usual_close AS twin_close, other.usual_volume AS twin_volume
    FROM equal
    LEFT JOIN usual AS own ON own.symbol = equal.symbol AND own.session = equal.session
    LEFT JOIN usual AS other ON other.symbol = equal.twin AND other.session = equal.session
    QUALIFY row_number() OVER (
        PARTITION BY equal.symbol, equal.session
        ORDER BY CASE WHEN {_HAS_LOGARITHMS} THEN {_MISFIT} END NULLS LAST, equal.twin
    ) = 1
"""
_LATEST_VERDICTS = """
    SELECT symbol, session, revision, arg_max(resolution, resolved_at) AS verdict
    FROM verdicts GROUP BY symbol, session, revision
"""


def _in_bad_body(row: str) -> str:
    """Return whether a row was sent in a body of another series."""
    return f"""EXISTS (
        FROM body_anomalies AS body
        WHERE body.symbol = {row}.symbol AND body.response_id = {row}.response_id
          AND body.anomaly_type = '{OTHER_SERIES}' AND body.severity IN ({quoted(GRAVE)}))"""


_REVISIONS = f"""
    SELECT sent.*, sent.kind = 'corruption' OR {_in_bad_body("sent")} AS is_bad
    FROM price_revisions AS sent JOIN scoped USING (symbol) WHERE sent.revision > 0
"""
_FORMER = f"""
    SELECT bad.symbol, bad.session, {", ".join(f"bad.{name} AS former_{name}" for name in IN_FORCE)}
    FROM (
        SELECT *, max(revision) FILTER (NOT is_bad) OVER (PARTITION BY symbol, session) AS sound
        FROM revisions
    ) AS bad
    WHERE bad.revision > coalesce(bad.sound, 0)
    QUALIFY row_number() OVER (PARTITION BY bad.symbol, bad.session ORDER BY bad.revision) = 1
"""
"""The values before the bad revisions that a bar's newest ones are; a row of the journal holds what
stood before its own."""
_FORMER_VALUES = ", ".join(
    f"CASE WHEN is_refused THEN former_{name} END AS former_{name}" for name in IN_FORCE
)
_BARS = f"""
    SELECT bar.*, bar.session < scoped.from_session AS is_context, days.* EXCLUDE (day),
           verdict.verdict, earlier.was_foreign, earlier.was_level, earlier.was_type,
           earlier.was_since, verdict.verdict IS DISTINCT FROM 'release' AS is_refused,
           coalesce(twins.twin, earlier.twin) AS twin,
           twins.usual_close, twins.usual_volume, twins.twin_close, twins.twin_volume,
           {_FORMER_VALUES},
           is_refused AND former_close IS NULL AND {_in_bad_body("bar")} AS is_doubted
    FROM daily_prices AS bar
    JOIN scoped USING (symbol)
    LEFT JOIN starts USING (symbol)
    LEFT JOIN market_days AS days ON days.day = bar.session
    LEFT JOIN judged_before AS earlier
        ON earlier.symbol = bar.symbol AND earlier.session = bar.session
    LEFT JOIN twins ON twins.symbol = bar.symbol AND twins.session = bar.session
    LEFT JOIN latest_verdicts AS verdict
        ON verdict.symbol = bar.symbol AND verdict.session = bar.session
       AND verdict.revision = bar.revision
    LEFT JOIN former ON former.symbol = bar.symbol AND former.session = bar.session
    -- Without a bar that was not withheld all are read, as with few.
    WHERE bar.session >= coalesce(starts.start, DATE '0001-01-01')
"""
_MISSING_FOR_ALL = f"""
    SELECT '{MARKET}' AS symbol, absent.session, false AS is_context,
           (SELECT arg_min(known_at, session) FROM nights_with_bars AS nights
            WHERE nights.session > absent.session) AS known_at
    FROM exchange_calendar AS absent
    WHERE NOT absent.has_bars
      AND absent.session >= (SELECT from_session FROM scope WHERE symbol = '{MARKET}')
      AND absent.session > (SELECT min(session) FROM nights_with_bars)
      AND absent.session < (SELECT max(session) FROM nights_with_bars)
"""
MARKET_FACTS = (
    ("nights_with_bars", _NIGHTS),
    ("exchange_calendar", _CALENDAR),
    ("market_moves", MARKET_MOVES.format(changed=f"({_SCOPED})")),
    ("market_days", _DAYS),
    ("equal_bars", _EQUAL_BARS),
)
"""What the bars of all symbols tell, by name: made once, however many symbols are judged at a
time."""
BAR_FACTS_QUERY = f"""
    WITH scoped AS ({_SCOPED}),
    judged_before AS MATERIALIZED ({_JUDGED_BEFORE}),
    starts AS MATERIALIZED ({_STARTS}),
    equal AS MATERIALIZED (SELECT equal_bars.* FROM equal_bars SEMI JOIN scoped USING (symbol)),
    usual AS MATERIALIZED ({_USUAL}),
    twins AS MATERIALIZED ({_TWINS}),
    latest_verdicts AS ({_LATEST_VERDICTS}),
    revisions AS MATERIALIZED ({_REVISIONS}),
    former AS MATERIALIZED ({_FORMER})
    {_BARS}
    UNION ALL BY NAME
    ({_MISSING_FOR_ALL})
"""
"""Rows in no order: polars sorts them faster than DuckDB does."""
