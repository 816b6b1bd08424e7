"""CatBoost as one of the boosting libraries: symmetric trees, one split for a whole level."""

from base64 import b64decode, b64encode
from math import ceil, log2
from typing import Any

import catboost
import numpy as np

from pipelines.signals.boosting_rows import BoostingRows, FloatMatrix
from pipelines.signals.settings import SignalSettings
from pipelines.validation.logistic import FloatArray

# What a model says of its own making: a clock and a random id would make each rebuild differ.
CHANGING_METADATA = ("train_finish_time", "model_guid", "training", "output_options")


def boost(rows: BoostingRows, settings: SignalSettings, *, seed: int) -> tuple[str, int]:
    """Return the booster as text, cut after the round best on the stop slice, and its trees."""
    fit, stop = _pool(rows.fit, rows.fit_is_up), _pool(rows.stop, rows.stop_is_up)
    model = catboost.CatBoost(_parameters(settings, seed=seed))
    model.fit(fit, eval_set=stop)
    trees = settings.kept_rounds(model.get_best_iteration() + 1, of=model.tree_count_)
    model.shrink(ntree_end=trees)
    metadata = model.get_metadata()
    for name in CHANGING_METADATA:
        metadata[name] = "{}"
    return b64encode(model._serialize_model()).decode(), trees


def raw_margins(text: str, matrix: FloatMatrix) -> FloatArray:
    """Return the raw log-odds of each row of `matrix` (rows × features of the model)."""
    margins = _load(text).predict(matrix, prediction_type="RawFormulaVal", thread_count=1)
    return np.asarray(margins, dtype=np.float64)


def raw_contributions(text: str, matrix: FloatMatrix) -> FloatArray:
    """Return SHAP values in log-odds (rows × features, then the bias); a row sums to its margin.

    Exact for trees (Lundberg et al. 2020), as CatBoost computes them.
    """
    values = _load(text).get_feature_importance(_pool(matrix), type="ShapValues", thread_count=1)
    return np.asarray(values, dtype=np.float64)


def _parameters(settings: SignalSettings, *, seed: int) -> dict[str, Any]:
    """Return parameters by which the same rows give the same bytes."""
    return {
        "loss_function": "Logloss",
        "iterations": settings.rounds,
        "od_type": "Iter",
        "od_wait": settings.patience,
        "use_best_model": False,
        # The first trees would otherwise be spent on the level.
        "boost_from_average": True,
        "depth": max(1, ceil(log2(settings.leaves))),
        "learning_rate": settings.learning_rate,
        "l2_leaf_reg": settings.l2,
        # Symmetric trees know no smallest leaf: being shallow, with the same split on a whole
        # level, is what keeps their leaves large.
        "rsm": settings.feature_share,
        "bootstrap_type": "Bernoulli",
        "subsample": settings.row_share,
        "border_count": settings.bins,
        # Plain boosting and one Newton step a leaf: ordered boosting is for categories.
        "boosting_type": "Plain",
        "leaf_estimation_iterations": 1,
        "thread_count": 1,
        "random_seed": seed,
        "allow_writing_files": False,
        "logging_level": "Silent",
    }


def _pool(matrix: FloatMatrix, label: FloatMatrix | None = None) -> catboost.Pool:
    return catboost.Pool(matrix, label, thread_count=1)


def _load(text: str) -> catboost.CatBoost:
    model = catboost.CatBoost()
    model.load_model(blob=b64decode(text))
    return model
