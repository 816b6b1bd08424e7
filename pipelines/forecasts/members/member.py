"""What a model of the pool is: fitted at times, asked at every session.

A fit is plain numbers by name, so that the lake can keep it and a later night goes on from it to
the same bits. Between fits a model takes in every session through the origin that it is asked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pipelines.forecasts.quantiles import FloatArray

Parameters = dict[str, float | list[float]]


class FitError(ValueError):
    """A model can't be fitted to a curve; the pool goes on without it until the next fit."""


@dataclass(frozen=True, eq=False)
class Question:
    """Origins at which a model is asked, all under one fit.

    Attributes:
        log_values: Log values from the start of the fit's window through the last origin.
        fitted: How many of them the fit has seen.
        origins: Positions in `log_values`; what lies after an origin is not there for it.
        horizons: Sessions ahead.
        paths: Sample paths to draw, for models that simulate.
    """

    log_values: FloatArray
    fitted: int
    origins: Sequence[int]
    horizons: Sequence[int]
    paths: int

    @property
    def returns(self) -> FloatArray:
        """Log returns: the first belongs to the second value."""
        return np.asarray(np.diff(self.log_values))


class Member(Protocol):
    """A model of the pool."""

    name: str

    def fit(self, log_values: FloatArray) -> Parameters:
        """Fit to log values in order.

        Raises:
            FitError: with the reason.
        """

    def quantiles(
        self, parameters: Parameters, question: Question, rng: np.random.Generator
    ) -> FloatArray:
        """Return quantiles of log growth: origins × horizons × grid."""


class PathMember(Member, Protocol):
    """A model that simulates: its paths tell how the sessions of a horizon hang together."""

    def paths(
        self, parameters: Parameters, question: Question, rng: np.random.Generator
    ) -> FloatArray:
        """Return paths of log growth: origins × steps × paths."""


def number(parameters: Parameters, name: str) -> float:
    """Return a single parameter."""
    value = parameters[name]
    if isinstance(value, list):
        message = f"parameter {name} is a list of {len(value)}: a number is asked for"
        raise TypeError(message)
    return float(value)


def numbers(parameters: Parameters, name: str) -> FloatArray:
    """Return a parameter that is a list."""
    return np.atleast_1d(np.asarray(parameters[name], dtype=np.float64))
