"""How bad an anomaly is, and the name that an alert of the detectors alone goes by."""

from collections.abc import Sequence
from typing import Literal

import polars as pl

Severity = Literal["normal", "low", "medium", "high", "critical"]

RISING: tuple[Severity, ...] = ("normal", "low", "medium", "high", "critical")
"""From nothing to impossible; the last two keep a bar from every model."""

FOUND: tuple[Severity, ...] = ("low", "medium", "high", "critical")
GRAVE: tuple[Severity, ...] = ("high", "critical")

UNUSUAL_BAR = "unusual_bar"
"""An alert of the detectors about a bar in which the rules find nothing: at most medium."""

RARE_SHARE = 0.001
"""An alert is medium where fewer of the calibration bars were further out, else a note: among few
symbols a night's budget lets bars through that a person sees every month."""


def rank_of(column: str) -> str:
    """Return SQL for the place of a severity in the rising order, 1 being the lowest."""
    names = ", ".join(f"'{name}'" for name in RISING)
    return f"list_position([{names}], {column})"


def severity_of_alert(p_value: str) -> str:
    """Return SQL for the severity of an alert that the detectors alone have raised."""
    return f"CASE WHEN {p_value} <= {RARE_SHARE} THEN 'medium' ELSE 'low' END"


def quoted(names: Sequence[str]) -> str:
    """Return names as a list of SQL."""
    return ", ".join(f"'{name}'" for name in names)


def rank_expression(column: str) -> pl.Expr:
    """Return the place of a severity in the rising order, for frames."""
    return pl.col(column).cast(pl.Enum(RISING)).to_physical()
