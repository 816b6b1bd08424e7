"""The rows of a training as what boosting libraries take, and what they aim at.

A market's common move is noise to a model that compares symbols, and most of the noise in its rows:
so boosting and stopping look at outcomes without what their session has in common. What is learned
that way holds for the common part of the features too; the level of the probabilities is left to
the calibration.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.scratch import IN_MEMORY, Scratch
from pipelines.validation.logistic import FloatArray, expit, logit
from pipelines.validation.session_correlation import SessionCorrelation

FloatMatrix = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class BoostingSlice:
    """Features, outcomes (0 or 1) and sessions of one slice.

    Attributes:
        columns: The features as the panel has them, which a library of columns takes uncopied.
        base_rate: Share of outcomes of 1 among the rows learned from, from which margins are
            counted.
        scratch: Where a matrix of the features lies.
    """

    columns: pl.DataFrame
    is_up: FloatArray
    sessions: SessionCorrelation
    base_rate: float
    scratch: Scratch = IN_MEMORY

    @classmethod
    def of(
        cls, rows: pl.DataFrame, features: tuple[str, ...], *, scratch: Scratch = IN_MEMORY
    ) -> Self:
        """Return rows to learn from; how outcomes of a session correlate is measured on them."""
        base_rate = float(rows["is_up"].sum()) / rows.height
        is_up = rows["is_up"].cast(pl.Float64).to_numpy()
        sessions = SessionCorrelation.of(rows["session"].to_numpy())
        shared = sessions.measured(is_up - base_rate)
        return cls(feature_columns(rows, features), is_up, shared, base_rate, scratch)

    def judging(self, rows: pl.DataFrame) -> Self:
        """Return rows by which boosters of these ones are judged."""
        sessions = SessionCorrelation.of(rows["session"].to_numpy())
        return replace(
            self,
            columns=feature_columns(rows, self.features),
            is_up=rows["is_up"].cast(pl.Float64).to_numpy(),
            sessions=sessions.alike(self.sessions.correlation),
        )

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the features, in the model's order."""
        return tuple(self.columns.columns)

    @cached_property
    def matrix(self) -> FloatMatrix:
        """The features as rows × features, column after column, for a library that takes no frame.

        The one copy that there is: CatBoost looks into such a matrix, and copies any other.
        """
        return self.scratch.matrix(self.columns)

    @property
    def compares_symbols(self) -> bool:
        """Return whether a session holds two rows or more on average."""
        return len(self.is_up) >= 2 * len(self.sessions.rows)

    def residual(self, margin: FloatArray) -> FloatArray:
        """Return the stated probability less the outcome of each row."""
        return expit(margin + logit(np.array(self.base_rate))) - self.is_up

    def loss(self, margin: FloatArray) -> float:
        """Return the mean squared residual, without what sessions have in common."""
        residual = self.residual(margin)
        return float((residual * self.sessions.own_part(residual)).mean())

    def gradient(self, margin: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return first and second derivative by margin of the log loss of rows that correlate.

        The first is the residual without what its session has in common: the estimating equation
        of Liang & Zeger (1986) for nearly even chances. The probability stays the one that a row
        has whatever its session brings, so margins are not overstated as they would be with an
        intercept for each session.
        """
        residual = self.residual(margin)
        probability = residual + self.is_up
        spread = probability * (1.0 - probability)
        return self.sessions.own_part(residual), self.sessions.own_weight * spread

    def working_response(self) -> FloatArray:
        """Return the outcomes in log-odds above the base rate, as one step of Newton's sees them.

        Near even chances a squared error in it is the log loss.
        """
        return (self.is_up - self.base_rate) / (self.base_rate * (1.0 - self.base_rate))


def feature_columns(rows: pl.DataFrame, features: Sequence[str]) -> pl.DataFrame:
    """Return the features of `rows`, in the model's order."""
    return rows.select(pl.col(features).cast(pl.Float32))


def feature_matrix(rows: pl.DataFrame, features: Sequence[str]) -> FloatMatrix:
    """Return the features of `rows` as a matrix, in the model's order."""
    return np.ascontiguousarray(feature_columns(rows, features).to_numpy(), dtype=np.float32)
