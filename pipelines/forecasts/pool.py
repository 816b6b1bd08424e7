"""The pool: how much each model counts, and the distribution that they make together.

A model's weight falls exponentially in the sum of its past scores (Vovk 1998; Cesa-Bianchi and
Lugosi 2006), of forecasts whose outcome was known when the weight was used. Quantiles are averaged
(Vincent 1912; Lichtendahl, Grushka-Cockayne and Winkler 2013): a mixture of densities would be
wider than its models, however right they are.
"""

import numpy as np

from pipelines.forecasts.quantiles import FloatArray
from pipelines.forecasts.settings import ForecastSettings


def weights_by_origin(
    scores: FloatArray, *, horizon: int, settings: ForecastSettings
) -> FloatArray:
    """Return each model's weight at each origin, and at the one after the last: (n + 1) × models.

    Args:
        scores: CRPS of each model (columns) at consecutive origins (rows); NaN where a model had no
            forecast or the outcome is not known.
        horizon: Sessions ahead. Neighbouring outcomes overlap and count as one of `horizon`.
        settings: Memory and learning rate.
    """
    present = np.isfinite(scores)
    number = present.sum(axis=1)
    known = np.asarray(number > 0)
    typical = np.nansum(scores, axis=1) / np.maximum(number, 1)
    filled = np.where(present, scores, typical[:, None])  # absence is neither praised nor blamed
    total = _matured_sums(filled, horizon, settings.memory)
    count = _matured_sums(known[:, None].astype(np.float64), horizon, settings.memory)
    mean = total.mean(axis=1, keepdims=True) / np.maximum(count, 1)
    excess = (total - total.min(axis=1, keepdims=True)) / np.where(mean > 0, mean, 1.0)
    weights = np.exp(-settings.learning_rate / horizon * excess)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def pooled_quantiles(quantiles: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the weighted mean of the models' quantiles; a model without a forecast is left out.

    Args:
        quantiles: … × models × grid, NaN where a model has none.
        weights: … × models.
    """
    present = np.isfinite(quantiles).all(axis=-1)
    effective = np.where(present, weights, 0.0)
    # Where only models of no weight are there, they share alike.
    effective = np.where(effective.sum(axis=-1, keepdims=True) > 0, effective, present)
    effective = effective / effective.sum(axis=-1, keepdims=True)
    return np.asarray(np.einsum("...m,...ml->...l", effective, np.nan_to_num(quantiles)))


def _matured_sums(values: FloatArray, horizon: int, memory: int) -> FloatArray:
    """Return, at each origin and the next, the sum over the origins that have matured by then."""
    number = len(values)
    total = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    matured = np.maximum(np.arange(number + 1) - horizon + 1, 0)
    return np.asarray(total[matured] - total[np.maximum(matured - memory, 0)])
