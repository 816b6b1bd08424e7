"""What is said of bars at a wrong level, and of jumps."""

import polars as pl

from pipelines.anomalies.catalogue import ANOMALY_TYPES
from pipelines.anomalies.findings import Finding, rounded

LEVEL_KINDS = (
    "wrong_unit",
    "split_not_applied",
    "split_not_in_prices",
    "split_listed_twice",
    "dividend_not_in_prices",
    "wrong_symbol",
    "unexplained_jump",
    "large_move",
)
_MOVE = ((pl.col("move").exp() - 1) * 100).round(1)


def level_findings() -> list[Finding]:
    """Return what to look for in the level of prices."""
    return [_level_finding(name) for name in LEVEL_KINDS]


def _level_finding(name: str) -> Finding:
    """Return the finding of one kind."""
    level = pl.col("shift").exp().round(4)
    jumped = pl.format(
        "the close {} is {} % from the {} of {}",
        "close",
        _MOVE,
        "reference_close",
        "reference_session",
    )
    since = pl.format(", prices stand at {} times their own level since {}", level, "level_since")
    severity = pl.when(pl.col("level_severity").is_not_null()).then("level_severity")
    return Finding(
        name,
        pl.col("level_kind") == name,
        pl.format("{}{}", jumped, pl.when(pl.col("shift") != 0).then(since).otherwise(pl.lit(""))),
        {
            # Not rounded: later bars are measured by it.
            "level": pl.col("shift"),
            "since": pl.col("level_since").cast(pl.String),
            "move": rounded(pl.col("move")),
            "deviation": rounded(pl.col("deviation")),
            "volume_move": rounded(pl.col("volume_move")),
            "range": rounded(pl.col("range")),
            "usual_range": rounded(pl.col("usual_range")),
            "split_coefficient": pl.col("split_coefficient"),
            "dividend_amount": pl.col("dividend_amount"),
            "market_move": pl.col("market_move"),
        },
        severity=severity.otherwise(pl.lit(ANOMALY_TYPES[name].severity)),
        explanation=pl.col("level_explanation"),
    )
