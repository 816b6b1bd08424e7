"""What became of each sighting, as rows for `data_quality_events`.

SQL for the lake; `{at}` stands behind each table, `$symbols` are the symbols asked for. Listings
explain gaps here and not in the judgement: what they say of the past they may say years later.

An anomaly of medium severity or worse becomes an event. So does a lower one that has an
explanation: a move so large that a person would ask, with the answer. Other notes of low severity
stay in the lake and in the reasons of the bar: at 10,000 symbols they would fill the dashboard.
"""

import polars as pl

from pipelines.anomalies.confirmation import CONFIRMED_KINDS, confirmed_moves
from pipelines.anomalies.severity import quoted
from pipelines.anomalies.sightings import FOUND_NOW, KEY, fingerprint_of

LATEST_VERDICTS = """
    SELECT symbol, session, revision, arg_max(resolution, resolved_at) AS resolution,
           arg_max(note, resolved_at) AS note, max(resolved_at) AS resolved_at
    FROM verdicts {at} GROUP BY symbol, session, revision
"""
"""The verdict that counts, of each bar and revision that has one."""

_WORTH_AN_EVENT = f"""
    (sighting.severity IN ({quoted(("medium", "high", "critical"))})
     OR sighting.withheld_at IS NOT NULL
     OR coalesce(found.explanation, sighting.explanation) IS NOT NULL)
"""

_ASKED = "symbol IN (SELECT unnest($symbols))"
_UNLISTED = """
    SELECT gap.*,
           CASE WHEN listed.delisted_on >= gap.session - 7 AND listed.delisted_on < resumed
                THEN format('the symbol was delisted on {}', listed.delisted_on)
                WHEN listed.listed_on > gap.session AND listed.listed_on <= resumed
                THEN format('the symbol is listed since {}', listed.listed_on) END AS reason
    FROM (
        SELECT symbol, session, CAST(evidence ->> '$.next_session' AS DATE) AS resumed
        FROM found WHERE anomaly_type = 'gap'
    ) AS gap
    JOIN (
        SELECT symbol, max(ipo_date) FILTER (status = 'Active') AS listed_on,
               max(delisting_date) FILTER (status = 'Delisted') AS delisted_on
        FROM listings {at} GROUP BY symbol
    ) AS listed USING (symbol)
    WHERE reason IS NOT NULL
"""
"""Gaps in which the symbol was not listed: it left, or the symbol was given away anew."""
_JUDGED = f"""
    WITH found AS (SELECT * FROM ({FOUND_NOW}) WHERE {_ASKED}),
    bars AS (SELECT symbol, session, revision FROM daily_prices {{at}}
             SEMI JOIN (SELECT DISTINCT symbol, session FROM anomaly_sightings {{at}}
                        WHERE {_ASKED}) USING (symbol, session)),
    verdict AS (SELECT * FROM ({LATEST_VERDICTS}) WHERE {_ASKED}),
    withheld AS (SELECT symbol, session, revision FROM quarantined_prices {{at}} WHERE {_ASKED}),
    sightings AS (SELECT * FROM anomaly_sightings {{at}} WHERE {_ASKED}),
    unlisted AS ({_UNLISTED}),
    judged AS (
        SELECT sighting.* EXCLUDE (severity, message, evidence, explanation),
               sighting.severity AS first_severity,
               coalesce(nullif(found.message, ''), sighting.message) AS message,
               coalesce(found.evidence, sighting.evidence) AS evidence,
               coalesce(found.severity, sighting.severity) AS severity,
               coalesce(found.explanation, sighting.explanation, unlisted.reason) AS explanation,
               sighting.data_type = 'daily' AND withheld.symbol IS NOT NULL AS is_withheld,
               CASE WHEN sighting.revision > 0 AND bar.revision > sighting.revision
                        THEN 'superseded'
                    WHEN verdict.resolution = 'release' THEN 'released'
                    WHEN verdict.resolution = 'confirm' THEN 'confirmed'
                    WHEN found.symbol IS NULL THEN 'withdrawn'
                    WHEN coalesce(found.explanation, unlisted.reason) IS NOT NULL THEN 'explained'
                    ELSE 'open' END AS status
        FROM sightings AS sighting
        LEFT JOIN found USING ({KEY})
        LEFT JOIN bars AS bar
            ON bar.symbol = sighting.symbol AND bar.session = sighting.session
        LEFT JOIN verdict
            ON verdict.symbol = sighting.symbol AND verdict.session = sighting.session
           AND verdict.revision = sighting.revision AND sighting.data_type = 'daily'
        LEFT JOIN withheld
            ON withheld.symbol = sighting.symbol AND withheld.session = sighting.session
           AND withheld.revision = sighting.revision
        LEFT JOIN unlisted
            ON unlisted.symbol = sighting.symbol AND unlisted.session = sighting.session
           AND sighting.anomaly_type = 'gap'
        WHERE {_WORTH_AN_EVENT}
    )
"""

EVENTS_QUERY = f"""{_JUDGED}
    SELECT * REPLACE (
        CASE WHEN status IN ('explained', 'released') THEN 'low' ELSE severity END AS severity
    ) FROM judged ORDER BY {KEY}
"""
"""Events of some symbols, by key. What is no fault after all is low, whatever it looked like."""

OPEN_SESSIONS = 10
"""So many sessions a jump waits for the bars that may explain it; then it is looked at again only
if anything else about its symbol changes."""

EVENTS_BY_SYMBOL_QUERY = f"""
    SELECT symbol, count(*) AS documents, {fingerprint_of("events")} AS fingerprint,
           coalesce(bool_or(status = 'open' AND anomaly_type IN ({quoted(CONFIRMED_KINDS)})
                            AND session >= recent), false) AS waits
    FROM ({EVENTS_QUERY.replace(_ASKED, "true")}) AS events
    CROSS JOIN (SELECT min(session) AS recent FROM (
        SELECT session FROM exchange_sessions {{at}} ORDER BY session DESC LIMIT {OPEN_SESSIONS}))
    GROUP BY symbol ORDER BY symbol
"""
"""What each symbol's events are made from, and whether bars that came since may explain one."""

LATER_PRICES_QUERY = """
    SELECT symbol, session, close, split_coefficient FROM clean_prices {at}
    WHERE symbol IN (SELECT unnest($symbols)) ORDER BY symbol, session
"""
"""The bars by which a jump may turn out to have been news."""


def left_to_later_prices(events: pl.DataFrame) -> list[str]:
    """Return the symbols of which an open event may be explained by the bars that came after."""
    waits = pl.col("anomaly_type").is_in(CONFIRMED_KINDS) & (pl.col("status") == "open")
    return events.filter(waits)["symbol"].unique().sort().to_list()


def explained_by_later_prices(events: pl.DataFrame, bars: pl.DataFrame) -> pl.DataFrame:
    """Return events with open jumps explained where prices stayed at their level.

    Only the event says so: a bar is judged on its own night, and no model may learn from a
    judgement that saw what came after.

    Args:
        events: Rows of EVENTS_QUERY.
        bars: Rows of LATER_PRICES_QUERY.
    """
    words = confirmed_moves(events, bars)["explanation"]
    is_news = (pl.col("status") == "open") & words.is_not_null() & pl.col("explanation").is_null()
    return events.with_columns(is_news=is_news).with_columns(
        status=pl.when("is_news").then(pl.lit("explained")).otherwise("status"),
        severity=pl.when("is_news").then(pl.lit("low")).otherwise("severity"),
        explanation=pl.when("is_news").then(words).otherwise("explanation"),
    )
