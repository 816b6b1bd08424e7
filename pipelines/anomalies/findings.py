"""What a rule finds, as rows of `price_anomalies`.

A rule says by expressions over a frame of bars where it holds, in which words and by which figures.
The rows that come out are the same in whatever frame a bar stood.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from pipelines.anomalies.catalogue import ANOMALY_TYPES
from pipelines.anomalies.severity import GRAVE

FINDING_SCHEMA = pl.Schema(
    {
        "symbol": pl.String(),
        "session": pl.Date(),
        "data_type": pl.String(),
        "anomaly_type": pl.String(),
        "revision": pl.Int32(),
        "severity": pl.String(),
        "message": pl.String(),
        "evidence": pl.String(),
        "explanation": pl.String(),
        "is_withheld": pl.Boolean(),
        "known_at": pl.Datetime("us", "UTC"),
    }
)
"""The columns of `price_anomalies`."""
DECIMALS = 6


@dataclass(frozen=True, eq=False)
class Finding:
    """What to look for, and what to say of it.

    Attributes:
        name: The kind, in `ANOMALY_TYPES`.
        where: True of the bars it is found at; null is not found.
        message: What is wrong, with the values.
        evidence: Figures by name.
        severity: The kind's usual one where not given.
        explanation: Why it is no fault; null where it is one.
    """

    name: str
    where: pl.Expr
    message: pl.Expr
    evidence: Mapping[str, pl.Expr]
    severity: pl.Expr | None = None
    explanation: pl.Expr | None = None


def found(bars: pl.DataFrame, findings: Sequence[Finding]) -> pl.DataFrame:
    """Return a row for every finding at every judged bar, in FINDING_SCHEMA."""
    judged = bars.filter(~pl.col("is_context"))
    return pl.concat([no_findings(), *(_rows(judged, finding) for finding in findings)])


def no_findings() -> pl.DataFrame:
    """Return an empty frame of findings."""
    return pl.DataFrame(schema=FINDING_SCHEMA)


def figures(values: Mapping[str, pl.Expr]) -> pl.Expr:
    """Return figures as JSON, in the order given."""
    return pl.struct(value.alias(name) for name, value in values.items()).struct.json_encode()


def rounded(value: pl.Expr) -> pl.Expr:
    """Return a figure as people read it; the seventh decimal is nobody's evidence."""
    return value.round(DECIMALS)


def _rows(judged: pl.DataFrame, finding: Finding) -> pl.DataFrame:
    """Return the rows of one finding.

    Raises:
        KeyError: the catalogue does not know the kind.
    """
    kind = ANOMALY_TYPES[finding.name]
    hits = judged.filter(finding.where.fill_null(value=False))
    severity = pl.lit(kind.severity) if finding.severity is None else finding.severity
    explanation = pl.lit(None) if finding.explanation is None else finding.explanation
    # What can't be, nobody can release.
    can_be = pl.lit(kind.severity != "critical")
    released = can_be & pl.col("verdict").eq_missing("release")
    return (
        hits.with_columns(
            data_type=pl.lit("daily"),
            anomaly_type=pl.lit(kind.name),
            severity=severity,
            message=finding.message,
            evidence=figures(finding.evidence),
            explanation=pl.when(released)
            .then(pl.lit("a person released the bar"))
            .otherwise(explanation),
        )
        .with_columns(is_withheld=pl.col("severity").is_in(GRAVE) & ~released)
        .select(pl.col(name).cast(dtype) for name, dtype in FINDING_SCHEMA.items())
    )
