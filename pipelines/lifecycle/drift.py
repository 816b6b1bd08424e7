"""Drift of the last month against what a model learned from: which feature, how far, what to do.

Rows of a session share the day and neighbouring days share the weather, so the usual p-value of
Kolmogorov and Smirnov calls every month a drift. Here a month's distance from the reference is
compared with those of the months of training: log distances are taken as normal, and a p-value is
the chance of a month that lies so far. Benjamini & Hochberg (1995) bound the false discoveries of a
night over all features.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import polars as pl

from pipelines.lifecycle.reference import (
    LABEL,
    MONTH,
    PREDICTION,
    SMALLEST_SHARE,
    kolmogorov_smirnov,
    population_stability_index,
    shares_of,
)
from pipelines.validation.logistic import FloatArray

FALSE_DISCOVERIES = 0.01
"""A night in a hundred calls a drift where there is none."""
MODERATE, LARGE, GROSS = 0.10, 0.25, 1.0
"""PSI beyond which a drift is moderate and large (Siddiqi 2006), and one no market makes."""
HEAVY = 0.05
"""Share of all importance from which a feature counts as heavy: its drift is one severity more."""
# A distance from fewer months says nothing of how far months lie.
FEWEST_MONTHS = 12
FEWEST_ROWS = 60
# Months of training that lie all alike would make of every other month a certain drift.
SMALLEST_DEVIATION = 0.1


class Severity(StrEnum):
    """How grave a drift is, in the backend's words."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    def raised(self) -> "Severity":
        """Return the next graver one."""
        grades = list(Severity)
        return grades[min(grades.index(self) + 1, len(grades) - 1)]


@dataclass(frozen=True)
class Drift:
    """How one watched quantity lies beside its reference this month.

    `p_value` is the chance of a month of training so far off; `is_significant` after the control of
    false discoveries over all that is watched.
    """

    metric: str
    psi: float
    ks: float
    p_value: float
    is_significant: bool
    importance: float | None
    severity: Severity
    message: str
    remedy: str


def measure_drift(reference: pl.DataFrame, values: dict[str, FloatArray]) -> list[Drift]:
    """Return how each watched quantity has drifted, the gravest first.

    Args:
        reference: Rows of `model_references` of the champion.
        values: The last month's values by name; what is not there is left out.
    """
    rows = [
        row
        for row in reference.iter_rows(named=True)
        if row["months"] >= FEWEST_MONTHS and len(values.get(row["feature"], ())) >= FEWEST_ROWS
    ]
    measured = [_distances(row, values[row["feature"]]) for row in rows]
    p_values = [p_value for _, _, p_value in measured]
    found = [
        _drift(row, distances, is_significant=is_significant)
        for row, distances, is_significant in zip(
            rows, measured, discoveries(p_values), strict=True
        )
    ]
    grades = list(Severity)
    return sorted(
        found,
        key=lambda one: (not one.is_significant, -grades.index(one.severity), one.p_value),
    )


def discoveries(p_values: Sequence[float], *, level: float = FALSE_DISCOVERIES) -> list[bool]:
    """Return which of many are discoveries, of which at most `level` are false on average."""
    if not p_values:
        return []
    ordered = np.sort(p_values)
    limits = level * np.arange(1, len(ordered) + 1) / len(ordered)
    passing = ordered[ordered <= limits]
    largest = passing.max() if len(passing) else -1.0
    return [bool(one <= largest) for one in p_values]


def weighted_index(drifts: Sequence[Drift]) -> float:
    """Return the mean PSI of features, each counted by its importance."""
    shares = [one.importance or 0.0 for one in drifts]
    total = sum(shares)
    psi = sum(share * one.psi for share, one in zip(shares, drifts, strict=True))
    return psi / total if total > 0 else 0.0


def _distances(row: dict[str, Any], values: FloatArray) -> tuple[float, float, float]:
    """Return PSI, KS distance and p-value of a month."""
    edges, shares = (np.array(json.loads(row[name])) for name in ("edges", "shares"))
    now = shares_of(values, edges)
    ks = kolmogorov_smirnov(shares, now)
    deviation = max(row["log_ks_deviation"], SMALLEST_DEVIATION)
    z = (math.log(max(ks, SMALLEST_SHARE)) - row["log_ks_mean"]) / deviation
    # A new month lies off the mean of the past ones by a little more than they do themselves.
    z /= math.sqrt(1 + 1 / row["months"])
    return population_stability_index(shares, now), ks, math.erfc(z / math.sqrt(2)) / 2


def _drift(
    row: dict[str, Any], distances: tuple[float, float, float], *, is_significant: bool
) -> Drift:
    """Return a quantity's drift with its severity and what to do about it."""
    psi, ks, p_value = distances
    severity = _severity(psi, row["importance"], is_significant=is_significant)
    name = row["feature"]
    return Drift(
        metric=name,
        psi=psi,
        ks=ks,
        p_value=p_value,
        is_significant=is_significant,
        importance=row["importance"],
        severity=severity,
        message=f"{name} of the last {MONTH} sessions lies off training by PSI {psi:.3f} and KS "
        f"{ks:.3f}; a month of training does so with p {p_value:.1e}",
        remedy=_remedy(name, psi),
    )


def _severity(psi: float, importance: float | None, *, is_significant: bool) -> Severity:
    """Return how grave a drift is; one that chance may explain is low."""
    if not is_significant or psi < MODERATE:
        return Severity.LOW
    severity = Severity.MEDIUM if psi < LARGE else Severity.HIGH
    if psi >= GROSS:
        severity = severity.raised()
    return severity.raised() if (importance or 0.0) >= HEAVY else severity


def _remedy(name: str, psi: float) -> str:
    """Say what a person should do."""
    if name == LABEL:
        return "compare the returns with the market's; retrain if they are right"
    if name == PREDICTION:
        return "look at the features that drift with it; retrain"
    if psi >= GROSS:
        return f"check {name} for a changed unit, a frozen source or a shift before retraining"
    return "retrain; the next training challenges the champion with the new months"
