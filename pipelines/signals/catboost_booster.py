"""CatBoost as one of the boosting libraries: symmetric trees, one split for a whole level."""

from base64 import b64decode, b64encode
from collections.abc import Callable
from math import ceil, log2
from typing import Any

import catboost
import numpy as np

from pipelines.signals.boosting_rows import BoostingSlice, FloatMatrix
from pipelines.signals.settings import SignalSettings
from pipelines.validation.logistic import FloatArray

# What a model says of its own making: a clock and a random id would make each rebuild differ.
CHANGING_METADATA = ("train_finish_time", "model_guid", "training", "output_options")


def best_round(
    fit: BoostingSlice, stop: BoostingSlice, settings: SignalSettings, *, seed: int
) -> int:
    """Return how many rounds of boosting on `fit` are best on `stop`."""
    model = catboost.CatBoost(
        {
            **_parameters(fit, settings, seed=seed),
            "iterations": settings.rounds,
            "border_count": settings.bins,
            "od_type": "Iter",
            "od_wait": settings.patience,
            "use_best_model": False,
        }
    )
    model.fit(_training_pool(fit), eval_set=_training_pool(stop))
    return int(model.get_best_iteration()) + 1


def learner(rows: BoostingSlice, settings: SignalSettings) -> Callable[[int, int], tuple[str, int]]:
    """Return what makes boosters of `rows`: seed and rounds in, text and number of trees out."""
    pool = _training_pool(rows)
    pool.quantize(border_count=settings.bins)

    def boost(seed: int, rounds: int) -> tuple[str, int]:
        model = catboost.CatBoost({**_parameters(rows, settings, seed=seed), "iterations": rounds})
        model.fit(pool)
        metadata = model.get_metadata()
        for name in CHANGING_METADATA:
            metadata[name] = "{}"
        return b64encode(model._serialize_model()).decode(), int(model.tree_count_)

    return boost


def raw_margins(text: str, matrix: FloatMatrix) -> FloatArray:
    """Return the raw margin of each row of `matrix` (rows × features of the model)."""
    margins = _load(text).predict(matrix, prediction_type="RawFormulaVal", thread_count=1)
    return np.asarray(margins, dtype=np.float64)


def raw_contributions(text: str, matrix: FloatMatrix) -> FloatArray:
    """Return SHAP values in log-odds (rows × features, then the bias); a row sums to its margin.

    Exact for trees (Lundberg et al. 2020), as CatBoost computes them.
    """
    pool = catboost.Pool(matrix, thread_count=1)
    values = _load(text).get_feature_importance(pool, type="ShapValues", thread_count=1)
    return np.asarray(values, dtype=np.float64)


def _parameters(rows: BoostingSlice, settings: SignalSettings, *, seed: int) -> dict[str, Any]:
    """Return parameters by which the same rows give the same bytes."""
    return {
        # The squared error of what rows differ by from their session; of rows, where each is alone.
        "loss_function": "QueryRMSE" if rows.compares_symbols else "RMSE",
        # The level is left to the calibration.
        "boost_from_average": False,
        "depth": max(1, ceil(log2(settings.leaves))),
        "learning_rate": settings.learning_rate,
        "l2_leaf_reg": settings.l2,
        # Symmetric trees know no smallest leaf: being shallow, with the same split on a whole
        # level, is what keeps their leaves large.
        "rsm": settings.feature_share,
        "bootstrap_type": "Bernoulli",
        "subsample": settings.row_share,
        # Plain boosting and one Newton step a leaf: ordered boosting is for categories.
        "boosting_type": "Plain",
        "leaf_estimation_iterations": 1,
        "thread_count": 1,
        "random_seed": seed,
        "allow_writing_files": False,
        "logging_level": "Silent",
    }


def _training_pool(rows: BoostingSlice) -> catboost.Pool:
    return catboost.Pool(
        rows.matrix, rows.working_response(), group_id=rows.sessions.session, thread_count=1
    )


def _load(text: str) -> catboost.CatBoost:
    model = catboost.CatBoost()
    model.load_model(blob=b64decode(text))
    return model
