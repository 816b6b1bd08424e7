"""The contenders held against one another on the same rows, with the same resampled sessions.

So a difference has an interval of its own, which is narrower than those of its two sides.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.evaluation.contenders import Contender, Opinions
from pipelines.validation.logistic import FloatArray
from pipelines.validation.long_short import SESSIONS_PER_YEAR, positioned_returns
from pipelines.validation.session_bootstrap import (
    Estimate,
    SessionResamples,
    area_under_curve,
    estimate,
)

COMPARED = ("auc", "accuracy", "net_return", "precision", "recall", "f1")
"""Figures of every contender: AUC of its score, share of right calls, return a year after costs;
share of its called rises that came, share of rises that it called, harmonic mean of both."""


@dataclass(frozen=True)
class Comparison:
    """One figure of all contenders.

    Attributes:
        metric: One of COMPARED.
        values: The figure of each contender, where it is defined.
        differences: The model's less each baseline's, where both are.
        average: The mean of the baselines'.
        over_average: The model's less that mean.
    """

    metric: str
    values: Mapping[Contender, Estimate]
    differences: Mapping[Contender, Estimate]
    average: Estimate | None
    over_average: Estimate | None


def compare(
    rows: pl.DataFrame,
    said: Mapping[Contender, Opinions],
    drawn: SessionResamples,
    *,
    cost_basis_points: float,
) -> tuple[Comparison, ...]:
    """Return the comparison of each of COMPARED.

    Args:
        rows: Replayed rows, by session and symbol.
        said: What each contender says of them.
        drawn: Their sessions and resamples of these.
        cost_basis_points: Paid on each dollar traded.
    """
    is_up = rows["is_up"].to_numpy()
    draws = _calls(said, is_up, drawn) | {
        "auc": {who: area_under_curve(one.score, is_up, drawn) for who, one in said.items()},
        "accuracy": {who: drawn.mean((one.is_up == is_up) * 1.0) for who, one in said.items()},
        "net_return": {
            who: _yearly_return(rows, one.position, drawn, cost_basis_points)
            for who, one in said.items()
        },
    }
    return tuple(_comparison(metric, draws[metric]) for metric in COMPARED)


def _calls(
    said: Mapping[Contender, Opinions], is_up: NDArray[np.bool_], drawn: SessionResamples
) -> dict[str, dict[Contender, FloatArray]]:
    """Return precision, recall and F1 of calls of a rise in each resample."""
    came = drawn.totals(is_up.astype(np.float64))[:, 0]
    found: dict[str, dict[Contender, FloatArray]] = {"precision": {}, "recall": {}, "f1": {}}
    for who, one in said.items():
        called = drawn.totals(one.is_up.astype(np.float64))[:, 0]
        right = drawn.totals((one.is_up & is_up).astype(np.float64))[:, 0]
        found["precision"][who] = _share(right, called)
        found["recall"][who] = _share(right, came)
        found["f1"][who] = _share(2 * right, called + came)
    return found


def _share(part: FloatArray, whole: FloatArray) -> FloatArray:
    """Return a share in each resample, NaN where there is nothing to share."""
    share = np.full(len(whole), np.nan)
    np.divide(part, whole, out=share, where=whole > 0)
    return share


def _comparison(metric: str, draws: Mapping[Contender, FloatArray]) -> Comparison:
    """Return a figure of all contenders from its resamples."""
    model = draws[Contender.MODEL]
    others = {who: one for who, one in draws.items() if who is not Contender.MODEL}
    average = np.mean(list(others.values()), axis=0)
    return Comparison(
        metric,
        values=_defined(draws),
        differences=_defined({who: model - one for who, one in others.items()}),
        average=estimate(average),
        over_average=estimate(model - average),
    )


def _defined(draws: Mapping[Contender, FloatArray]) -> dict[Contender, Estimate]:
    found = {who: estimate(one) for who, one in draws.items()}
    return {who: one for who, one in found.items() if one is not None}


def _yearly_return(
    rows: pl.DataFrame, position: FloatArray, drawn: SessionResamples, cost_basis_points: float
) -> FloatArray:
    """Return the mean net return a year of positions in each resample."""
    held = rows.with_columns(position=pl.Series(position))
    earned = positioned_returns(held, cost_basis_points=cost_basis_points)
    by_session = rows.select("session").unique().sort("session").join(earned, "session", how="left")
    known = by_session["net_return"].is_not_null().to_numpy()
    sums = drawn.counts @ by_session["net_return"].fill_null(0.0).to_numpy()
    sessions = drawn.counts @ known
    return np.asarray(_share(sums, sessions) * SESSIONS_PER_YEAR)
