"""Fitting one candidate on a window of sessions: any family gives the same kind of model."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from pipelines.regimes.clusters import kmeans_states, mixture_states
from pipelines.regimes.hidden_markov import hidden_markov_states
from pipelines.regimes.model import FloatArray, RegimeModel, long_run
from pipelines.regimes.settings import MARKET_RETURN, Candidate, Family, RegimeSettings
from pipelines.regimes.states import States, UnusableFitError

FEWEST_SESSIONS_A_STATE = 10
FEWEST_COMPLETE = 0.9
"""Share of the sessions with a return in which every other column must be known, too."""
SMALLEST_STD = 1e-6
"""Log return per session below which a market did not move."""

Finder = Callable[[FloatArray, int, RegimeSettings, States | None], States]
_FINDERS: Mapping[Family, Finder] = {
    Family.HIDDEN_MARKOV: hidden_markov_states,
    Family.MIXTURE: mixture_states,
    Family.KMEANS: kmeans_states,
}


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted model and the states it was made from, where the next window's fit may begin."""

    model: RegimeModel
    states: States


def fit_candidate(
    panel: pl.DataFrame,
    candidate: Candidate,
    *,
    settings: RegimeSettings,
    previous: States | None = None,
) -> Fit:
    """Fit a candidate on all complete sessions of a panel (session, then columns), in order.

    Args:
        panel: One row a session; a session with a missing column takes no part.
        candidate: What to fit.
        settings: How.
        previous: States of an earlier window; a start, where they are of the same columns.

    Raises:
        UnusableFitError: too few sessions, a column without movement, or no usable states.
    """
    returns = panel.select("session", *candidate.columns).drop_nulls(MARKET_RETURN)
    rows = returns.drop_nulls()
    if rows.height < FEWEST_COMPLETE * returns.height:
        message = f"{candidate.name}: only {rows.height} of {returns.height} sessions are complete"
        raise UnusableFitError(message)
    values = rows.select(candidate.columns).to_numpy()
    _require_movement(values, candidate, settings)
    center, scale = values.mean(axis=0), values.std(axis=0)
    found = _FINDERS[candidate.family](
        (values - center) / scale, candidate.states, settings, previous
    )
    weights = found.shares.sum(axis=0)
    if weights.min() < FEWEST_SESSIONS_A_STATE:
        message = (
            f"a state of {candidate.name} holds {weights.min():.1f} sessions: at least "
            f"{FEWEST_SESSIONS_A_STATE} are needed"
        )
        raise UnusableFitError(message)
    mean = found.shares.T @ values[:, 0] / weights
    squares = found.shares * (values[:, :1] - mean) ** 2
    sessions: list[date] = rows["session"].to_list()
    model = RegimeModel(
        candidate=candidate,
        fitted_from=sessions[0],
        fitted_through=sessions[-1],
        center=center,
        scale=scale,
        projection=found.projection,
        means=found.means,
        covariances=found.covariances,
        start=long_run(found.transition),
        transition=found.transition,
        market_mean=mean,
        market_std=np.maximum(np.sqrt(squares.sum(axis=0) / weights), SMALLEST_STD),
        weights=weights,
    )
    return Fit(model, found)


def _require_movement(values: FloatArray, candidate: Candidate, settings: RegimeSettings) -> None:
    """Refuse sessions that nothing can be learnt from."""
    fewest = settings.fewest_sessions // 2  # the first judgement holds a third of them out
    if len(values) < fewest:
        message = f"{len(values)} sessions are too few for {candidate.name}: {fewest} are needed"
        raise UnusableFitError(message)
    still = [
        name
        for name, deviation in zip(candidate.columns, values.std(axis=0), strict=True)
        if not deviation > SMALLEST_STD
    ]
    if still:
        kind = "the market's return" if MARKET_RETURN in still else ", ".join(still)
        message = f"{kind} does not move over {len(values)} sessions"
        raise UnusableFitError(message)
