"""Sessions without a bar: gaps of a symbol alone, halts, and sessions that everybody lacks.

A gap stands at the first session that is missing and is known when the next bar is. Before the
first bar of a symbol and after its last one nothing is missing: it is listed late, or delisted.
"""

import polars as pl

from pipelines.anomalies.catalogue import ANOMALY_TYPES
from pipelines.anomalies.findings import FINDING_SCHEMA, figures, no_findings

MOVED = 5.0
"""Deviations, of the sessions in between, that tell a halt."""


def absences(bars: pl.DataFrame) -> pl.DataFrame:
    """Return the gaps and halts before judged bars, in FINDING_SCHEMA."""
    gaps = bars.filter(~pl.col("is_context") & (pl.col("missing_sessions") > 0))
    # Prices that jumped to another level tell nothing of news.
    is_halt = (pl.col("move").abs() > MOVED * pl.col("deviation")) & (pl.col("shift") == 0)
    name = pl.when(is_halt.fill_null(value=False)).then(pl.lit("halt")).otherwise(pl.lit("gap"))
    severities = {kind: ANOMALY_TYPES[kind].severity for kind in ("gap", "halt")}
    missing = pl.format(
        "{} sessions from {} to {} have no bar, those of other symbols do",
        "missing_sessions",
        "first_missing",
        "traded_before",
    )
    evidence = {
        "missing_sessions": pl.col("missing_sessions"),
        "first_missing": pl.col("first_missing").cast(pl.String),
        "last_missing": pl.col("traded_before").cast(pl.String),
        "next_session": pl.col("session").cast(pl.String),
        "move": pl.col("move").round(6),
    }
    explanation = pl.when(pl.col("anomaly_type") == "halt").then(
        pl.format("trade was halted: the next close is {} % off", (pl.col("move") * 100).round(1))
    )
    return (
        gaps.with_columns(anomaly_type=name)
        .with_columns(
            message=missing,
            evidence=figures(evidence),
            explanation=explanation,
            severity=pl.col("anomaly_type").replace_strict(severities, return_dtype=pl.String),
        )
        .with_columns(session=pl.col("first_missing"), revision=0, is_withheld=False)
        .with_columns(data_type=pl.lit("daily"))
        .select(pl.col(column).cast(dtype) for column, dtype in FINDING_SCHEMA.items())
    )


def sessions_missing_for_all(missing: pl.DataFrame) -> pl.DataFrame:
    """Return one finding for each session that no symbol has, in FINDING_SCHEMA.

    Args:
        missing: symbol, session and `known_at` of the sessions.
    """
    if missing.is_empty():
        return no_findings()
    return missing.with_columns(
        data_type=pl.lit("daily"),
        anomaly_type=pl.lit("session_missing"),
        revision=0,
        severity=pl.lit(ANOMALY_TYPES["session_missing"].severity),
        message=pl.format("no symbol has a bar of {}, and the exchange traded", "session"),
        evidence=pl.lit("{}"),
        explanation=pl.lit(None),
        is_withheld=False,
    ).select(pl.col(column).cast(dtype) for column, dtype in FINDING_SCHEMA.items())
