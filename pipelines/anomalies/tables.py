"""Lake tables of the quality stage: what is wrong with the data, since when we know, who decided.

`price_anomalies` follows from the bars and can be made anew at any time; what happened once
(revisions by the vendor, sightings, verdicts, fits of detectors) is kept for good.
"""

from dataclasses import replace

from pipelines.anomalies.profiles import PROFILE
from pipelines.table import BAR_COLUMNS, KNOWN_AT, REVISION_COLUMNS, SESSION, SYMBOL, Column, Table

_ANOMALY = (
    SYMBOL,
    SESSION,
    Column("data_type", "VARCHAR", "'daily' or 'weekly': the bars that it is about."),
    Column("anomaly_type", "VARCHAR", "Name of the rule, see docs/anomalies.md."),
)
_REVISION = Column("revision", "INTEGER", "Revision of the bar that it is about; 0 for no bar.")
_SEVERITY = Column("severity", "VARCHAR", "low, medium, high or critical.")
_EVIDENCE = Column("evidence", "VARCHAR", "The figures behind it, as JSON.")
_SIGHTING_KEY = ("symbol", "session", "data_type", "anomaly_type", "revision")

PRICE_REVISIONS = Table(
    "price_revisions",
    "Every change of stored bars by the vendor: what a bar was before, what changed, of what kind. "
    "An adjusted close that only moved by the factor of a dividend or split is no new revision of "
    "its bar: one row tells of the whole range.",
    ("symbol", "session", "revision", "from_session", "response_id"),
    (
        SYMBOL,
        Column("session", "DATE", "The bar; of a range, the day of the dividend or split."),
        Column("revision", "INTEGER", "The revision that the change made; 0 for a range."),
        Column("from_session", "DATE", "First bar that changed: of a single one, itself."),
        Column("through_session", "DATE", "Last bar that changed."),
        *(replace(column, nullable=True) for column in BAR_COLUMNS),
        Column("changed", "VARCHAR[]", "Names of the columns whose value changed."),
        Column("kind", "VARCHAR", "split, dividend, correction or corruption."),
        Column("factor", "DOUBLE", "What the adjusted closes of a range were multiplied by.", True),
        Column("was_in_force", "BOOLEAN", "Whether models used the former values until then."),
        Column("known_before", "TIMESTAMPTZ", "Since when the former values were known.", True),
        Column("basis_before", "VARCHAR", "Whether that was 'observed' or 'assumed'.", True),
        Column("response_before", "BIGINT", "The vendor response of the former values.", True),
        _EVIDENCE,
        Column("night_id", "VARCHAR", "The night that took the change in."),
        KNOWN_AT,
        Column("response_id", "BIGINT", "The vendor response that made the change."),
    ),
)
"""The columns of the bar hold its former values; of a range they are null."""

BODY_ANOMALIES = Table(
    "body_anomalies",
    "What was wrong with a vendor body as a whole: history that shrank, rows that came twice, "
    "another symbol's series.",
    ("response_id", "symbol", "session", "anomaly_type"),
    (
        *_ANOMALY,
        _SEVERITY,
        Column("message", "VARCHAR", "What is wrong, in words, with the values."),
        _EVIDENCE,
        KNOWN_AT,
        Column("response_id", "BIGINT", "The vendor response that it came in."),
    ),
)

PRICE_ANOMALIES = Table(
    "price_anomalies",
    "What the rules find wrong or remarkable about a bar, judged by what was known on its night.",
    ("symbol", "session", "data_type", "anomaly_type"),
    (
        *_ANOMALY,
        _REVISION,
        _SEVERITY,
        Column("message", "VARCHAR", "What is wrong, in words, with the values."),
        _EVIDENCE,
        Column("explanation", "VARCHAR", "Why it is no fault after all, if it is none.", True),
        Column("is_withheld", "BOOLEAN", "Whether this alone keeps the bar from every model."),
        KNOWN_AT,
    ),
    is_derived=True,
)

WEEKLY_ANOMALIES = Table(
    "weekly_anomalies",
    "Weekly bars of the vendor that its own daily bars of the week contradict.",
    PRICE_ANOMALIES.key,
    PRICE_ANOMALIES.columns,
    is_derived=True,
)
"""A table of its own beside `price_anomalies`, since it follows from other sources."""

DETECTOR_FITS = Table(
    "detector_fits",
    "Fits of the statistical detectors, kept so that any night can be judged again as it was.",
    ("detector", "applies_from"),
    (
        Column("detector", "VARCHAR", "Name of the detector."),
        Column("applies_from", "DATE", "First session that the fit judges."),
        Column("fitted_from", "DATE", "First session of the bars it was fitted on."),
        Column("fitted_through", "DATE", "Last session of the bars it was fitted on."),
        Column("calibrated_through", "DATE", "Last session of the later bars that calibrate it."),
        Column("fit_rows", "BIGINT", "Bars it was fitted on."),
        Column("calibration_rows", "BIGINT", "Bars, disjoint from those, that calibrate it."),
        Column("settings", "VARCHAR", "Settings and seed, as JSON."),
        Column("body", "BLOB", "The fitted detector and its calibration scores."),
    ),
)

BAR_SCORES = Table(
    "bar_scores",
    "How unusual the statistical detectors find each bar, by fits on earlier bars alone.",
    ("symbol", "session"),
    (
        SYMBOL,
        SESSION,
        _REVISION,
        Column("isolation_score", "DOUBLE", "Isolation Forest: 0 usual to 1 alone.", True),
        Column("tail_score", "DOUBLE", "ECOD: 0 usual to 1 in the tail.", True),
        Column("volume_z_score", "DOUBLE", "Log volume in robust deviations from its usual.", True),
        Column("prophet_score", "DOUBLE", "Forecast residual in deviations; suspects only.", True),
        Column("reviewed_score", "DOUBLE", "Chance of a fault, learnt from verdicts.", True),
        Column("p_value", "DOUBLE", "Conformal p-value among calibration bars.", nullable=True),
        Column("is_alert", "BOOLEAN", "Whether it is within the night's alert budget."),
        Column("applies_from", "DATE", "The fit, in detector_fits; null before the first.", True),
        *(Column(value.name, "FLOAT", value.description, True) for value in PROFILE),
    ),
    is_derived=True,
)

ANOMALY_SIGHTINGS = Table(
    "anomaly_sightings",
    "Each anomaly as it was first seen, and when: the instant that the backend counts it by. Kept "
    "for good, so that what was said of a bar can be read after the vendor has revised it.",
    _SIGHTING_KEY,
    (
        *_ANOMALY,
        _REVISION,
        Column("first_detected_at", "TIMESTAMPTZ", "Night's instant, or the close of old history."),
        Column("sighted_at", "TIMESTAMPTZ", "The instant of the night that saw it first."),
        Column("night_id", "VARCHAR", "The night that saw it first."),
        Column("severity", "VARCHAR", "Severity when it was first seen."),
        Column("message", "VARCHAR", "What was wrong, in words, with the values."),
        _EVIDENCE,
        Column("explanation", "VARCHAR", "Why it was no fault after all, if it was none.", True),
        Column("isolation_score", "DOUBLE", "Isolation Forest: 0 usual to 1 alone.", True),
        Column("prophet_score", "DOUBLE", "Forecast residual in deviations.", True),
        Column("volume_z_score", "DOUBLE", "Log volume in deviations from its usual.", True),
        Column("price_change_pct", "DOUBLE", "Close over the last clean close, in percent.", True),
        Column("withheld_at", "TIMESTAMPTZ", "Instant of the first night that withheld it.", True),
    ),
)

ANOMALY_CALLS = Table(
    "anomaly_calls",
    "Which sightings the webhook has taken; written after it did, so a call may come twice but "
    "none is lost.",
    _SIGHTING_KEY,
    (
        *_ANOMALY,
        _REVISION,
        Column("idempotency_key", "VARCHAR", "Names the call: the same if it came twice."),
        Column("night_id", "VARCHAR", "The night that called."),
        Column("called_at", "TIMESTAMPTZ", "The instant of that night."),
    ),
)

VERDICTS = Table(
    "verdicts",
    "What people decided of withheld bars, as landed from MongoDB; never changed, only added to.",
    ("symbol", "session", "revision", "resolved_at"),
    (
        SYMBOL,
        SESSION,
        _REVISION,
        Column("resolved_at", "TIMESTAMPTZ", "When the person decided; the latest one counts."),
        Column("resolution", "VARCHAR", "'release' or 'confirm'."),
        Column("note", "VARCHAR", "The person's words.", nullable=True),
        Column("collection", "VARCHAR", "The collection in which it was written."),
        Column("night_id", "VARCHAR", "The night that landed it."),
        Column("landed_at", "TIMESTAMPTZ", "The instant of that night."),
    ),
)

QUARANTINED_PRICES = Table(
    "quarantined_prices",
    "Bars withheld from every model, as the vendor sent them, with the rules they break.",
    ("symbol", "session"),
    (
        SYMBOL,
        SESSION,
        *BAR_COLUMNS,
        *REVISION_COLUMNS,
        Column("rules", "VARCHAR[]", "Names of the rules that the bar breaks."),
        Column("reasons", "VARCHAR[]", "The same in words, with the values."),
        Column("severity", "VARCHAR", "The highest severity among them: high or critical."),
        Column("evidence", "VARCHAR", "The figures behind each rule, as JSON by its name."),
        Column("resolution", "VARCHAR", "'confirm' where a person confirmed it.", True),
        Column(
            "in_force_revision",
            "INTEGER",
            "The last good revision, which models use in its place; null if there is none.",
            nullable=True,
        ),
    ),
    is_derived=True,
)

QUALITY_TABLES = (
    PRICE_REVISIONS,
    BODY_ANOMALIES,
    PRICE_ANOMALIES,
    WEEKLY_ANOMALIES,
    DETECTOR_FITS,
    BAR_SCORES,
    ANOMALY_SIGHTINGS,
    ANOMALY_CALLS,
    VERDICTS,
    QUARANTINED_PRICES,
)
"""In the order of the night."""
