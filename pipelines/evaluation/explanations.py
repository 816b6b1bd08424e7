"""What moved the model's opinions in a scenario, and whether another sample would say the same.

Importance is the mean absolute SHAP value (log-odds of the calibrated probability) as a share of
all; it sums to 1. Its interval and the stability below say how far it can be read: an order of
features that changes from one half of the sessions to the other is no finding.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl

from pipelines.evaluation.replay import Turn
from pipelines.signals.model import finite_features
from pipelines.validation.logistic import FloatArray
from pipelines.validation.session_bootstrap import Estimate, SessionResamples, estimate

MOST_ROWS = 5_000
"""Rows explained: SHAP values of more make importances no steadier and take minutes."""


@dataclass(frozen=True)
class Importance:
    """One feature's share; `direction` is the sign of the rank correlation of value and impact."""

    feature: str
    share: Estimate
    direction: str | None


@dataclass(frozen=True)
class Explanation:
    """The features of a scenario, the most important first.

    Attributes:
        importances: Every feature; none where the models learned nothing.
        rows: Rows explained.
        halves: Spearman correlation of the shares in even and in odd sessions.
        models: Mean of it over successive models, each on its own sessions; None with one model.
    """

    importances: tuple[Importance, ...]
    rows: int
    halves: float | None
    models: float | None


@dataclass(frozen=True, eq=False)
class Impacts:
    """SHAP values and feature values (rows × features) of rows, by session and symbol."""

    features: tuple[str, ...]
    keys: pl.DataFrame
    values: FloatArray
    impacts: FloatArray

    def within(self, sessions: Sequence[object]) -> "Impacts":
        """Return the rows of some sessions."""
        inside = self.keys["session"].is_in(sessions).to_numpy()
        return Impacts(
            self.features,
            self.keys.filter(pl.Series(inside)),
            self.values[inside],
            self.impacts[inside],
        )


def impacts(replayed: Sequence[Turn]) -> Impacts:
    """Return the SHAP values of the rows of turns, of every so many sessions if there are many."""
    total = sum(turn.rows.height for turn in replayed)
    step = 1 + total // MOST_ROWS
    parts = [_impacts(turn, step=step) for turn in replayed]
    return Impacts(
        parts[0].features,
        pl.concat([part.keys for part in parts]),
        np.vstack([part.values for part in parts]),
        np.vstack([part.impacts for part in parts]),
    )


def explain(found: Impacts, drawn: SessionResamples) -> Explanation:
    """Return the importance of each feature, with how stable it is.

    Args:
        found: SHAP values, at least of one row.
        drawn: Their sessions and resamples of these.
    """
    sizes = drawn.totals(np.abs(found.impacts))
    total = sizes.sum(axis=1, keepdims=True)
    if total[0, 0] == 0:
        return Explanation((), len(found.keys), None, None)
    shares = np.full_like(sizes, np.nan)
    np.divide(sizes, total, out=shares, where=total > 0)
    importances = [
        Importance(name, share, _direction(found.values[:, place], found.impacts[:, place]))
        for place, name in enumerate(found.features)
        if (share := estimate(shares[:, place]))
    ]
    ranked = sorted(importances, key=lambda one: (-one.share.value, one.feature))
    return Explanation(tuple(ranked), len(found.keys), _halves(found), _models(found))


def _impacts(turn: Turn, *, step: int) -> Impacts:
    """Return the SHAP values of every so many sessions of a turn."""
    sessions = turn.rows["session"].unique().sort().gather_every(step)
    rows = turn.rows.filter(pl.col("session").is_in(sessions.implode()))
    keys = rows.select("symbol", "session", model_version=pl.lit(turn.version))
    features = turn.model.features
    if rows.is_empty():
        nothing = np.empty((0, len(features)))
        return Impacts(features, keys, nothing, nothing)
    values = rows.select(finite_features(features)).to_numpy()
    return Impacts(features, keys, values, turn.model.contributions(rows)[:, :-1])


def _direction(values: FloatArray, impact: FloatArray) -> str | None:
    """Return `up` where larger values raise the probability, `down` where they lower it."""
    known = np.isfinite(values)
    correlation = _rank_correlation(values[known], impact[known])
    if not correlation:
        return None
    return "up" if correlation > 0 else "down"


def _halves(found: Impacts) -> float | None:
    """Return how alike the shares of even and of odd sessions are."""
    sessions = found.keys["session"].unique().sort()
    halves = [sessions.gather_every(2, offset=start).to_list() for start in (0, 1)]
    return _rank_correlation(*(_sizes(found.within(half)) for half in halves))


def _models(found: Impacts) -> float | None:
    """Return how alike the shares of successive models are, on average."""
    versions = found.keys.group_by("model_version").agg(pl.col("session").min()).sort("session")
    sizes = [
        _sizes(found.within(found.keys.filter(model_version=version)["session"].unique().to_list()))
        for version in versions["model_version"]
    ]
    alike = [one for pair in pairwise(sizes) if (one := _rank_correlation(*pair)) is not None]
    return float(np.mean(alike)) if alike else None


def _sizes(found: Impacts) -> FloatArray:
    return np.asarray(np.abs(found.impacts).sum(axis=0))


def _rank_correlation(first: FloatArray, second: FloatArray) -> float | None:
    """Return Spearman's correlation; None where one side is constant or too short."""
    from scipy.stats import spearmanr

    if len(first) < 3 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    return float(spearmanr(first, second).statistic)
