"""ROC, precision and recall, the confusion matrix and the calibration curve of a replay."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.validation.logistic import FloatArray
from pipelines.validation.session_bootstrap import SessionResamples, estimate

MOST_POINTS = 101
CALIBRATION_BINS = 10
CLASS_LABELS = ("down", "up")

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class CalibrationPoint:
    """A bin of rows of similar probability: what was said, what came, and how sure that is."""

    probability: float
    share_up: float
    low: float
    high: float
    rows: int


@dataclass(frozen=True)
class Curves:
    """What the calls and probabilities of a replay look like; None where all outcomes agree."""

    roc: Mapping[str, list[float]] | None
    precision_recall: Mapping[str, list[float]] | None
    confusion: list[list[int]]
    calibration: list[CalibrationPoint]


def curves(rows: pl.DataFrame, drawn: SessionResamples) -> Curves:
    """Return the curves of replayed rows, whose sessions are those of `drawn`."""
    probability, is_up = rows["probability"].to_numpy(), rows["is_up"].to_numpy()
    called_up = probability > rows["base_rate"].to_numpy()
    return Curves(
        roc=roc_curve(probability, is_up),
        precision_recall=precision_recall_curve(probability, is_up),
        confusion=confusion_matrix(called_up, is_up),
        calibration=calibration_curve(probability, is_up, drawn),
    )


def roc_curve(probability: FloatArray, is_up: BoolArray) -> dict[str, list[float]] | None:
    """Return fpr and tpr, at most MOST_POINTS of each; None where all outcomes agree."""
    from sklearn.metrics import roc_curve

    if is_up.min() == is_up.max():
        return None
    false_rate, true_rate, _ = roc_curve(is_up, probability)
    return _thinned({"fpr": false_rate, "tpr": true_rate})


def precision_recall_curve(
    probability: FloatArray, is_up: BoolArray
) -> dict[str, list[float]] | None:
    """Return precision and recall, at most MOST_POINTS of each; None where all outcomes agree."""
    from sklearn.metrics import precision_recall_curve

    if is_up.min() == is_up.max():
        return None
    precision, recall, _ = precision_recall_curve(is_up, probability)
    return _thinned({"precision": precision, "recall": recall})


def confusion_matrix(called_up: BoolArray, is_up: BoolArray) -> list[list[int]]:
    """Return rows by what came and columns by what was called, both in order of CLASS_LABELS."""
    from sklearn.metrics import confusion_matrix

    matrix: list[list[int]] = confusion_matrix(is_up, called_up, labels=[False, True]).tolist()
    return matrix


def calibration_curve(
    probability: FloatArray, is_up: BoolArray, drawn: SessionResamples
) -> list[CalibrationPoint]:
    """Return bins of equal count with the share that rose; intervals by resampled sessions."""
    edges = np.unique(np.quantile(probability, np.linspace(0, 1, CALIBRATION_BINS + 1)[1:-1]))
    place = np.searchsorted(edges, probability, side="right")
    points = []
    for one in np.unique(place):
        inside = place == one
        rows = drawn.totals(inside * 1.0)[:, 0]
        share = np.full(len(rows), np.nan)
        np.divide(drawn.totals(inside * is_up)[:, 0], rows, out=share, where=rows > 0)
        if found := estimate(share):
            said = float(probability[inside].mean())
            size = int(inside.sum())
            points.append(CalibrationPoint(said, found.value, found.lower, found.upper, size))
    return points


def _thinned(curves: dict[str, FloatArray]) -> dict[str, list[float]]:
    """Return every so many points of curves of one length, both ends among them."""
    length = len(next(iter(curves.values())))
    kept = np.unique(np.linspace(0, length - 1, min(length, MOST_POINTS)).round().astype(int))
    return {name: curve[kept].tolist() for name, curve in curves.items()}
