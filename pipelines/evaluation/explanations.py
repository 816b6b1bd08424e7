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
from numpy.typing import NDArray

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
        halves: Spearman correlation of the shares in even and in odd sessions, with its interval.
        models: Mean of it over successive models, each on its own sessions; None with one model.
    """

    importances: tuple[Importance, ...]
    rows: int
    halves: Estimate | None
    models: Estimate | None


@dataclass(frozen=True, eq=False)
class Impacts:
    """SHAP values and feature values (rows × features) of rows, by session and symbol."""

    features: tuple[str, ...]
    keys: pl.DataFrame
    values: FloatArray
    impacts: FloatArray


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
    by_session = _sizes_by_session(found, drawn)
    return Explanation(
        tuple(ranked),
        len(found.keys),
        halves=_halves(by_session, drawn),
        models=_models(by_session, found, drawn),
    )


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


def _sizes_by_session(found: Impacts, drawn: SessionResamples) -> FloatArray:
    """Return the sum of absolute impacts of each session (sessions × features)."""
    sizes = np.zeros((drawn.counts.shape[1], len(found.features)))
    np.add.at(sizes, drawn.session, np.abs(found.impacts))
    return sizes


def _halves(sizes: FloatArray, drawn: SessionResamples) -> Estimate | None:
    """Return how alike the importances of even and of odd sessions are."""
    is_odd = np.arange(len(sizes)) % 2 == 1
    return estimate(_alike(*(_sizes(sizes, half, drawn) for half in (~is_odd, is_odd))))


def _models(sizes: FloatArray, found: Impacts, drawn: SessionResamples) -> Estimate | None:
    """Return how alike the importances of successive models are, on average."""
    version = np.zeros(len(sizes), dtype=np.int64)
    version[drawn.session] = found.keys["model_version"].to_numpy()
    in_order = [version[0], *version[1:][np.diff(version) != 0]]
    own = [_sizes(sizes, version == one, drawn) for one in in_order]
    if len(own) < 2:
        return None
    return estimate(np.mean([_alike(*pair) for pair in pairwise(own)], axis=0))


def _sizes(sizes: FloatArray, inside: NDArray[np.bool_], drawn: SessionResamples) -> FloatArray:
    """Return the importances in some sessions of each resample (resamples × features)."""
    return np.asarray(drawn.counts[:, inside] @ sizes[inside])


def _alike(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return Spearman's correlation of each pair of rows, NaN where one side is constant."""
    from scipy.stats import rankdata

    ranks = [rankdata(side, axis=1) for side in (first, second)]
    one, other = (rank - rank.mean(axis=1, keepdims=True) for rank in ranks)
    size = np.sqrt((one**2).sum(axis=1) * (other**2).sum(axis=1))
    alike = np.full(len(size), np.nan)
    np.divide((one * other).sum(axis=1), size, out=alike, where=size > 0)
    return alike


def _rank_correlation(first: FloatArray, second: FloatArray) -> float | None:
    """Return Spearman's correlation; None where one side is constant or too short."""
    found = _alike(first[None, :], second[None, :])[0] if len(first) > 2 else np.nan
    return float(found) if np.isfinite(found) else None
