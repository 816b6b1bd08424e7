"""A model at work on the market: states, names and labels of consecutive sessions, filtered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from pipelines.regimes.filtering import filtered
from pipelines.regimes.labels import IntArray, settled
from pipelines.regimes.model import FloatArray, RegimeModel
from pipelines.regimes.names import Regime
from pipelines.regimes.naming import name_matrix
from pipelines.regimes.settings import RegimeSettings


@dataclass(frozen=True, eq=False)
class FilteredMarket:
    """What a model knew of the market after each session.

    Attributes:
        sessions: In order.
        predicted: Probabilities of the states before the session was seen (T × K).
        posterior: After it was seen (T × K).
        probabilities: The same of the four names (T × 4).
        labels: The label that holds, an ordinal of `NAMES` (T).
        log_scores: Log density of the market's return, predicted the session before; NaN where
            there is no return (T).
    """

    sessions: list[date]
    predicted: FloatArray
    posterior: FloatArray
    probabilities: FloatArray
    labels: IntArray
    log_scores: FloatArray


def filter_market(
    model: RegimeModel, names: Sequence[Regime], panel: pl.DataFrame, settings: RegimeSettings
) -> FilteredMarket:
    """Filter a panel of consecutive sessions; the first stands on the states' long-run chances."""
    observations = (
        panel.select(model.candidate.columns).fill_null(np.nan).to_numpy().astype(np.float64)
    )
    predicted, posterior = filtered(
        model.log_likelihoods(observations), start=model.start, transition=model.transition
    )
    densities = np.exp(model.market_log_densities(observations[:, 0]))
    with np.errstate(divide="ignore"):  # a return that no state can make scores minus infinity
        log_scores = np.log((predicted * densities).sum(axis=1))
    probabilities = posterior @ name_matrix(names)
    return FilteredMarket(
        sessions=panel["session"].to_list(),
        predicted=predicted,
        posterior=posterior,
        probabilities=probabilities,
        labels=settled(probabilities, margin=settings.margin, dwell=settings.dwell_sessions),
        log_scores=log_scores,
    )
