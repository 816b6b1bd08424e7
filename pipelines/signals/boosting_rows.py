"""The fit and stop slices of a training as the matrices that boosting libraries take."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

FloatMatrix = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class BoostingRows:
    """Features (rows × features) and outcomes (0 or 1) of the fit and stop slices."""

    features: tuple[str, ...]
    fit: FloatMatrix
    fit_is_up: NDArray[np.float32]
    stop: FloatMatrix
    stop_is_up: NDArray[np.float32]

    @classmethod
    def of(cls, fit: pl.DataFrame, stop: pl.DataFrame, features: tuple[str, ...]) -> Self:
        """Return the matrices of two slices."""
        return cls(
            features,
            feature_matrix(fit, features),
            fit["is_up"].cast(pl.Float32).to_numpy(),
            feature_matrix(stop, features),
            stop["is_up"].cast(pl.Float32).to_numpy(),
        )


def feature_matrix(rows: pl.DataFrame, features: tuple[str, ...]) -> FloatMatrix:
    """Return the features of `rows` as a matrix, in the model's order."""
    columns = rows.select(pl.col(features).cast(pl.Float32))
    return np.ascontiguousarray(columns.to_numpy(), dtype=np.float32)
