"""LightGBM behind plain text: rows in, model text out; model text in, margins out.

LightGBM is imported here and nowhere else, and this module only inside functions, since its
import takes a second that definitions must not pay.
"""

from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.signals.settings import SignalSettings
from pipelines.validation.logistic import FloatArray
from pipelines.validation.splits import UnusableSliceError


@dataclass(frozen=True)
class Boosted:
    """A booster as text; `has_gain` is false where no tree beat the constant on the stop slice."""

    text: str
    trees: int
    has_gain: bool


def boost(
    fit: pl.DataFrame, stop: pl.DataFrame, *, features: tuple[str, ...], settings: SignalSettings
) -> Boosted:
    """Return the booster of `fit`, cut after the round that was best on `stop`.

    Equal rows in equal order give equal text.

    Raises:
        UnusableSliceError: all rows of `fit` have the same outcome.
    """
    if fit["is_up"].n_unique() < 2:
        message = (
            f"all {fit.height} rows of the fit slice have the same outcome, so there is nothing to "
            "learn: check the labels, or load a longer history"
        )
        raise UnusableSliceError(message)
    losses: dict[str, dict[str, list[float]]] = {}
    train = _dataset(fit, features)
    booster = lightgbm.train(
        settings.boosting(fit_rows=fit.height),
        train,
        num_boost_round=settings.rounds,
        valid_sets=[_dataset(stop, features, reference=train)],
        valid_names=["stop"],
        callbacks=[
            lightgbm.early_stopping(settings.patience, verbose=False),
            lightgbm.record_evaluation(losses),
        ],
    )
    trees = booster.best_iteration
    return Boosted(
        text=booster.model_to_string(num_iteration=trees),
        trees=trees,
        has_gain=losses["stop"]["binary_logloss"][trees - 1] < _constant_loss(fit, stop),
    )


def raw_margins(text: str, matrix: NDArray[np.float32]) -> FloatArray:
    """Return the raw log-odds of each row of `matrix` (rows × features of the model)."""
    return np.asarray(_load(text).predict(matrix, raw_score=True), dtype=np.float64)


def raw_contributions(text: str, matrix: NDArray[np.float32]) -> FloatArray:
    """Return SHAP values in log-odds (rows × features, then the bias); a row sums to its margin.

    Exact for trees (Lundberg et al. 2020), as LightGBM computes them.
    """
    return np.asarray(_load(text).predict(matrix, pred_contrib=True), dtype=np.float64)


def feature_matrix(rows: pl.DataFrame, features: tuple[str, ...]) -> NDArray[np.float32]:
    """Return the features of `rows` as a matrix, in the model's order."""
    columns = rows.select(pl.col(features).cast(pl.Float32))
    return np.ascontiguousarray(columns.to_numpy(), dtype=np.float32)


def _load(text: str) -> lightgbm.Booster:
    return lightgbm.Booster(model_str=text)


def _dataset(
    rows: pl.DataFrame, features: tuple[str, ...], reference: lightgbm.Dataset | None = None
) -> lightgbm.Dataset:
    options: dict[str, Any] = {"feature_name": list(features), "params": {"verbosity": -1}}
    matrix, label = feature_matrix(rows, features), rows["is_up"].cast(pl.Float32).to_numpy()
    return lightgbm.Dataset(matrix, label=label, reference=reference, **options)


def _constant_loss(fit: pl.DataFrame, stop: pl.DataFrame) -> float:
    """Return the log loss on `stop` of always saying the base rate of `fit`."""
    base_rate, is_up = float(fit["is_up"].sum()) / fit.height, stop["is_up"].to_numpy()
    return float(-np.mean(np.log(np.where(is_up, base_rate, 1.0 - base_rate))))
