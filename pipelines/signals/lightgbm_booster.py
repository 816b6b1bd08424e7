"""LightGBM as one of the boosting libraries: trees that grow leaf by leaf."""

from typing import Any

import lightgbm
import numpy as np

from pipelines.signals.boosting_rows import BoostingRows, FloatMatrix
from pipelines.signals.settings import SignalSettings
from pipelines.validation.logistic import FloatArray


def boost(rows: BoostingRows, settings: SignalSettings, *, seed: int) -> tuple[str, int]:
    """Return the booster as text, cut after the round best on the stop slice, and its trees."""
    parameters = _parameters(settings, fit_rows=len(rows.fit), seed=seed)
    names = list(rows.features)
    train = lightgbm.Dataset(
        rows.fit, label=rows.fit_is_up, feature_name=names, params=dict(parameters)
    )
    stop = lightgbm.Dataset(rows.stop, label=rows.stop_is_up, reference=train)
    booster = lightgbm.train(
        parameters,
        train,
        num_boost_round=settings.rounds,
        valid_sets=[stop],
        # Else the rounds after the best are already gone.
        keep_training_booster=True,
        callbacks=[lightgbm.early_stopping(settings.patience, verbose=False)],
    )
    trees = settings.kept_rounds(booster.best_iteration, of=booster.current_iteration())
    return booster.model_to_string(num_iteration=trees), trees


def raw_margins(text: str, matrix: FloatMatrix) -> FloatArray:
    """Return the raw log-odds of each row of `matrix` (rows × features of the model)."""
    return np.asarray(_load(text).predict(matrix, raw_score=True, num_threads=1), dtype=np.float64)


def raw_contributions(text: str, matrix: FloatMatrix) -> FloatArray:
    """Return SHAP values in log-odds (rows × features, then the bias); a row sums to its margin.

    Exact for trees (Lundberg et al. 2020), as LightGBM computes them.
    """
    return np.asarray(
        _load(text).predict(matrix, pred_contrib=True, num_threads=1), dtype=np.float64
    )


def _parameters(settings: SignalSettings, *, fit_rows: int, seed: int) -> dict[str, Any]:
    """Return parameters by which the same rows give the same bytes."""
    return {
        "objective": "binary",
        "metric": "binary_logloss",
        "num_leaves": settings.leaves,
        "min_data_in_leaf": settings.smallest_leaf(fit_rows),
        "learning_rate": settings.learning_rate,
        "lambda_l2": settings.l2,
        "feature_fraction": settings.feature_share,
        "bagging_fraction": settings.row_share,
        "bagging_freq": 1,
        "max_bin": settings.bins,
        "num_threads": 1,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }


def _load(text: str) -> lightgbm.Booster:
    return lightgbm.Booster(model_str=text)
