"""Alerts of the detectors as anomalies, in words: SQL for rows like those of `price_anomalies`.

Detectors say unusual, not wrong: an alert is medium at most, and withholds nothing. Where people
have said of such bars that they are right, and a detector learnt from that is heard, it is low.
"""

from pipelines.anomalies.severity import UNUSUAL_BAR

LIKELY_RIGHT = 0.2
"""Chance of a fault below which the reviewed detector makes an alert a note."""
REMARKABLE_DEVIATIONS = 4.0
REMARKABLE_RANGE = 1.1
"""Log of three times the usual range."""

_VALUES = (
    ("return_score", "the close moved {:+.1f} deviations", REMARKABLE_DEVIATIONS),
    ("gap_score", "the open moved {:+.1f} deviations", REMARKABLE_DEVIATIONS),
    ("intraday_score", "open to close moved {:+.1f} deviations", REMARKABLE_DEVIATIONS),
    ("range_score", "the log range is {:+.1f} from its usual", REMARKABLE_RANGE),
    ("volume_score", "volume is {:+.1f} deviations from its usual", REMARKABLE_DEVIATIONS),
    ("prophet_score", "a forecast missed the close by {:+.1f} deviations", REMARKABLE_DEVIATIONS),
)


def _remarkable() -> str:
    """Return SQL for the list of what is unusual about a bar, each with its figure."""
    cases = ", ".join(
        f"CASE WHEN abs({name}) >= {least} THEN format('{words}', {name}::DOUBLE) END"
        for name, words, least in _VALUES
    )
    return f"list_filter([{cases}], text -> text IS NOT NULL)"


def _evidence() -> str:
    """Return SQL for the figures of a bar as JSON."""
    names = (
        *("p_value", "isolation_score", "tail_score", "volume_z_score"),
        *("reviewed_score", *(name for name, _, _ in _VALUES), "quiet_move_score"),
    )
    # A figure that is no number has no place in JSON; 32 bits have seven digits to tell.
    values = (f"'{name}', CASE WHEN isfinite({name}) THEN {name} END" for name in names)
    return f"json_object({', '.join(values)})::VARCHAR"


DETECTOR_ANOMALIES = f"""
    SELECT score.symbol, score.session, 'daily' AS data_type, '{UNUSUAL_BAR}' AS anomaly_type,
           score.revision,
           CASE WHEN reviewed_score < {LIKELY_RIGHT} THEN 'low' ELSE 'medium' END AS severity,
           format('unusual beside its past and the market of its day, as 1 bar in {{:,}}: {{}}',
                  greatest(1, round(1 / p_value))::BIGINT,
                  coalesce(nullif(array_to_string({_remarkable()}, ', '), ''),
                           'no single value, but all of them together')) AS message,
           {_evidence()} AS evidence,
           NULL::VARCHAR AS explanation, false AS is_withheld, bar.known_at
    FROM bar_scores AS score {{at}}
    JOIN daily_prices AS bar {{at}}
      ON bar.symbol = score.symbol AND bar.session = score.session
    WHERE score.is_alert
"""
"""Every alert that stands; `{at}` stands behind each table, for reading as of a version."""
