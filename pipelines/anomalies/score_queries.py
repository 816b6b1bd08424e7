"""SQL of the detectors: which bars are due, what they are judged beside, what fits are made of.

A bar is judged when it is new or of a new revision, and then no more: its scores say how it looked
on the night that saw it. So a bar that came late judges nobody else again.
"""

import hashlib
from collections.abc import Sequence
from datetime import date

from pipelines.anomalies.detector_anomalies import DETECTOR_ANOMALIES
from pipelines.anomalies.detectors import PANEL_DETECTOR
from pipelines.anomalies.profiles import PROFILE_NAMES
from pipelines.anomalies.prophet_residual import SUSPICIOUS_P_VALUE, SUSPICIOUS_SEVERITIES
from pipelines.anomalies.reviewed_detector import INPUTS
from pipelines.anomalies.severity import quoted
from pipelines.anomalies.tables import BAR_SCORES
from pipelines.table import IN_SESSIONS
from pipelines.tables import DAILY_PRICES

RECIPE = hashlib.sha256(
    repr([PANEL_DETECTOR, [(column.name, column.type) for column in BAR_SCORES.columns]]).encode()
).hexdigest()[:16]
"""What decides the scores; under another recipe every bar is judged anew."""

SAMPLE_PARTS = 1_000_000
"""Bars are sampled by so many parts of the whole."""
_PROFILE = ", ".join(PROFILE_NAMES)
_NUMBERED = (
    "(SELECT session, row_number() OVER (ORDER BY session) AS ordinal FROM exchange_sessions)"
)
_PRICES = "symbol, session, ordinal, open, high, low, close, volume"

SESSIONS_QUERY = "SELECT session FROM exchange_sessions ORDER BY session"

CLEAN_QUERY = f"""
    SELECT {_PRICES}, split_factor, total_return_index
    FROM clean_prices JOIN {_NUMBERED} USING (session)
    WHERE session BETWEEN $first AND $last ORDER BY symbol, session
"""

WITHHELD_QUERY = f"""
    SELECT {_PRICES}, split_coefficient, dividend_amount
    FROM quarantined_prices JOIN {_NUMBERED} USING (session)
    WHERE session BETWEEN $first AND $last ORDER BY symbol, session
"""

LOOK_BACK_QUERY = """
    SELECT min(session) FROM (
        SELECT session FROM exchange_sessions WHERE session < $session
        ORDER BY session DESC LIMIT $sessions)
"""

STORED_QUERY = f"SELECT * FROM bar_scores WHERE {IN_SESSIONS} ORDER BY symbol, session"

FIRST_BAR_QUERY = "SELECT min(session) FROM daily_prices"

FIRST_PROFILE_QUERY = f"SELECT min(session) FROM bar_scores WHERE {PROFILE_NAMES[0]} IS NOT NULL"

_PAST = f"""
    FROM bar_scores AS score
    WHERE session BETWEEN $first AND $last AND {PROFILE_NAMES[0]} IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM quarantined_prices AS withheld
                      WHERE withheld.symbol = score.symbol AND withheld.session = score.session)
"""

PAST_COUNT_QUERY = f"SELECT count(*) AS bars, count(DISTINCT symbol) AS symbols {_PAST}"

PAST_SAMPLE_QUERY = f"""
    SELECT {_PROFILE} {_PAST}
      AND md5_number_lower(concat_ws(' ', symbol, session)) % {SAMPLE_PARTS} < $parts
    ORDER BY symbol, session
"""
"""A part of the clean bars, the same ones whenever it is asked: no draw depends on what else is
there."""

FIT_QUERY = """
    SELECT body, fitted_through, calibrated_through, fit_rows, calibration_rows, settings
    FROM detector_fits WHERE detector = $detector AND applies_from = $applies_from
"""

NEWEST_FITS_QUERY = """
    SELECT * FROM detector_fits
    WHERE detector = $detector AND applies_from <= $last ORDER BY applies_from
"""

_VERDICTS = """
    SELECT verdict.*, known.session AS known_from
    FROM verdicts AS verdict ASOF JOIN exchange_sessions AS known
      ON verdict.landed_at >= known.closes_at
    WHERE verdict.landed_at <= $as_of
"""
"""Verdicts with the session from whose night on they may be used."""

VERDICTS_KNOWN_QUERY = f"SELECT max(known_from) FROM ({_VERDICTS}) WHERE known_from <= $last"

REVIEWED_BARS_QUERY = f"""
    SELECT score.symbol, score.session, {", ".join(f"score.{name}" for name in INPUTS)},
           arg_max(resolution, resolved_at) = 'confirm' AS is_fault
    FROM ({_VERDICTS}) AS verdict
    JOIN bar_scores AS score USING (symbol, session, revision)
    WHERE known_from <= $known_from
    GROUP BY ALL ORDER BY score.symbol, score.session
"""
"""Bars that a person has judged, as they were scored. One that the vendor has revised since is
scored as it is now, and teaches nothing."""

RULED_QUERY = f"""
    SELECT DISTINCT symbol, session FROM price_anomalies
    WHERE data_type = 'daily' AND severity IN ({quoted(SUSPICIOUS_SEVERITIES)})
      AND {IN_SESSIONS}
"""

ALERTS_QUERY = f"""
    SELECT alert.symbol, alert.session::VARCHAR AS session, alert.message
    FROM ({DETECTOR_ANOMALIES.replace("{at}", "")}) AS alert
    JOIN bar_scores AS score USING (symbol, session)
    WHERE list_contains($sessions, alert.session)
    ORDER BY alert.session DESC, score.p_value, alert.symbol
"""

HISTORIES_QUERY = """
    SELECT symbol, session, total_return_index FROM clean_prices
    WHERE list_contains($symbols, symbol) AND session BETWEEN $first AND $last
    ORDER BY symbol, session
"""


def due_query(*, since: int | None, until: int, sessions: Sequence[date] = ()) -> str:
    """Return SQL for the bars that are due: symbol, session, revision.

    Args:
        since: Lake version that was judged before; None asks for every bar.
        until: Lake version to read up to.
        sessions: Sessions of the run: suspects that an earlier run had no forecast made of are due
            too, so that it does not matter in which order nights are run.
    """
    if since is None:
        return f"SELECT symbol, session, revision FROM {DAILY_PRICES.name}"
    days = ", ".join(f"'{day}'" for day in sessions) or "NULL"
    return f"""
        SELECT bar.symbol, bar.session, bar.revision
        FROM daily_prices AS bar
        SEMI JOIN ({changed_query(since=since, until=until)}) USING (symbol, session)
        ANTI JOIN bar_scores USING (symbol, session, revision)
        UNION
        SELECT score.symbol, score.session, score.revision
        FROM bar_scores AS score JOIN daily_prices AS bar USING (symbol, session, revision)
        WHERE score.session::VARCHAR IN ({days}) AND score.prophet_score IS NULL AND (
            score.is_alert OR score.p_value <= {SUSPICIOUS_P_VALUE} OR EXISTS (
                SELECT 1 FROM price_anomalies AS ruled
                WHERE ruled.symbol = score.symbol AND ruled.session = score.session
                  AND ruled.data_type = 'daily'
                  AND ruled.severity IN ({quoted(SUSPICIOUS_SEVERITIES)})))
    """


def removal_statement(*, since: int | None, until: int) -> str:
    """Return SQL that removes the scores of bars that are no more."""
    is_asked = "true"
    if since is not None:
        is_asked = f"""EXISTS (SELECT 1 FROM ({changed_query(since=since, until=until)}) AS changed
            WHERE changed.symbol = score.symbol AND changed.session = score.session)"""
    return f"""
        DELETE FROM bar_scores AS score WHERE {is_asked} AND NOT EXISTS (
            SELECT 1 FROM daily_prices AS bar
            WHERE bar.symbol = score.symbol AND bar.session = score.session)
    """


def changed_query(*, since: int | None, until: int) -> str:
    """Return SQL for the bars that the change feed names; without `since`, for all bars."""
    if since is None:
        return f"SELECT symbol, session FROM {DAILY_PRICES.name}"
    if since >= until:
        return "SELECT symbol, session FROM daily_prices WHERE false"
    feed = f"lake.table_changes('{DAILY_PRICES.name}', {since + 1}, {until})"
    return f"SELECT DISTINCT symbol, session FROM {feed}"
