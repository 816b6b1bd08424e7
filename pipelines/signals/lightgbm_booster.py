"""LightGBM as one of the boosting libraries: trees that grow leaf by leaf."""

from collections.abc import Callable
from typing import Any

import lightgbm
import numpy as np

from pipelines.signals.boosting_rows import BoostingSlice, FloatMatrix
from pipelines.signals.settings import SignalSettings
from pipelines.validation.logistic import FloatArray


def best_round(
    fit: BoostingSlice, stop: BoostingSlice, settings: SignalSettings, *, seed: int
) -> int:
    """Return how many rounds of boosting on `fit` are best on `stop`."""
    data = _dataset(fit, settings, seed=seed)
    judged = lightgbm.Dataset(stop.columns.to_arrow(), label=stop.is_up, reference=data)
    booster = lightgbm.train(
        _training(fit, settings, seed=seed),
        data,
        num_boost_round=settings.rounds,
        valid_sets=[judged],
        feval=lambda margin, _: ("loss", stop.loss(margin), False),
        callbacks=[lightgbm.early_stopping(settings.patience, verbose=False)],
    )
    return int(booster.best_iteration)


def learner(rows: BoostingSlice, settings: SignalSettings) -> Callable[[int, int], tuple[str, int]]:
    """Return what makes boosters of `rows`: seed and rounds in, text and number of trees out."""
    data = _dataset(rows, settings, seed=settings.seed).construct()

    def boost(seed: int, rounds: int) -> tuple[str, int]:
        booster = lightgbm.train(_training(rows, settings, seed=seed), data, num_boost_round=rounds)
        return booster.model_to_string(), booster.num_trees()

    return boost


def raw_margins(text: str, matrix: FloatMatrix) -> FloatArray:
    """Return the raw margin of each row of `matrix` (rows × features of the model)."""
    return np.asarray(_load(text).predict(matrix, raw_score=True, num_threads=1), dtype=np.float64)


def raw_contributions(text: str, matrix: FloatMatrix) -> FloatArray:
    """Return SHAP values in log-odds (rows × features, then the bias); a row sums to its margin.

    Exact for trees (Lundberg et al. 2020), as LightGBM computes them.
    """
    return np.asarray(
        _load(text).predict(matrix, pred_contrib=True, num_threads=1), dtype=np.float64
    )


def _dataset(rows: BoostingSlice, settings: SignalSettings, *, seed: int) -> lightgbm.Dataset:
    return lightgbm.Dataset(
        # Columns are put into bins as they lie; a matrix would be a second copy of the panel.
        rows.columns.to_arrow(),
        label=rows.is_up,
        feature_name=list(rows.features),
        params=_parameters(settings, fit_rows=len(rows.is_up), seed=seed),
    )


def _training(rows: BoostingSlice, settings: SignalSettings, *, seed: int) -> dict[str, Any]:
    parameters = _parameters(settings, fit_rows=len(rows.is_up), seed=seed)
    return {**parameters, "objective": lambda margin, _: rows.gradient(margin)}


def _parameters(settings: SignalSettings, *, fit_rows: int, seed: int) -> dict[str, Any]:
    """Return parameters by which the same rows give the same bytes."""
    return {
        "metric": "None",
        "num_leaves": settings.leaves,
        "min_data_in_leaf": settings.smallest_leaf(fit_rows),
        "learning_rate": settings.learning_rate,
        "lambda_l2": settings.l2,
        "feature_fraction": settings.feature_share,
        "bagging_fraction": settings.row_share,
        "bagging_freq": 1,
        # A split is tried at one value of a feature drawn at random: where all is nearly noise, the
        # best of 63 is mostly the luckiest. The mean of the seeds takes the chance out again.
        "extra_trees": True,
        "max_bin": settings.bins,
        "num_threads": 1,
        "seed": seed,
        # Members share their bins.
        "data_random_seed": settings.seed,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }


def _load(text: str) -> lightgbm.Booster:
    return lightgbm.Booster(model_str=text)
