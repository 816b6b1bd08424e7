"""What the published family of models is worth, given every family that was ever tried."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from pipelines.validation.logistic import FloatArray
from pipelines.validation.multiple_testing import (
    deflated_sharpe_ratio,
    probability_of_overfitting,
    return_moments,
)

BLOCKS = 16


@dataclass(frozen=True)
class SelectionEvidence:
    """How much of the published trial's result may be the luck of having tried many.

    Attributes:
        trials: trials in the ledger that have returns.
        independent_trials: how many independent ones they are worth, by their mean correlation.
        deflated_sharpe: probability that the published one beats the luckiest of worthless ones;
            None where it has too few sessions, or constant returns.
        overfitting: share of halves of the sessions whose best trial is below median in the other
            half; None with fewer than two trials over the same sessions.
    """

    trials: int
    independent_trials: float
    deflated_sharpe: float | None
    overfitting: float | None


def selection_evidence(returns: pl.DataFrame, *, published: str) -> SelectionEvidence:
    """Judge the published trial against all of the ledger.

    Args:
        returns: rows of `trial_returns`; net returns are judged.
        published: `trial_id` of the trial whose models score.
    """
    wide = returns.pivot("trial_id", index="session", values="net_return").sort("session")
    trials = wide.drop("session")
    moments = return_moments(_values(trials[published])) if published in trials.columns else None
    shared = trials.drop_nulls().to_numpy()
    count = _independent(shared)
    sharpes = [found.sharpe for column in trials if (found := return_moments(_values(column)))]
    deflated = None
    if moments and len(sharpes) > 1:
        spread = float(np.var(sharpes, ddof=1))
        deflated = deflated_sharpe_ratio(moments, trials=count, variance=spread)
    elif moments:
        deflated = deflated_sharpe_ratio(moments, trials=1, variance=0.0)
    can_compare = shared.shape[1] > 1 and len(shared) >= 2 * BLOCKS
    return SelectionEvidence(
        trials=trials.width,
        independent_trials=count,
        deflated_sharpe=deflated,
        overfitting=probability_of_overfitting(shared, blocks=BLOCKS) if can_compare else None,
    )


def _values(column: pl.Series) -> FloatArray:
    return column.drop_nulls().to_numpy()


def _independent(returns: FloatArray) -> float:
    """Return how many independent trials so many correlated ones are worth.

    One where all move together, all of them where none do: Bailey & López de Prado, The deflated
    Sharpe ratio, 2014, eq. 9, with the mean correlation of their returns.
    """
    sessions, trials = returns.shape
    moving = returns[:, np.ptp(returns, axis=0) > 0] if sessions > 1 else returns[:, :0]
    if moving.shape[1] < 2:
        return float(max(1, trials))
    correlations = np.atleast_2d(np.corrcoef(moving, rowvar=False))
    mean = float(correlations[np.triu_indices_from(correlations, k=1)].mean())
    return float(trials - min(max(mean, 0.0), 1.0) * (trials - 1))
