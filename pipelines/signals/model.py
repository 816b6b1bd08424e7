"""A trained signal model as a value: what scores, what it was made from, what it has shown."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Self

import numpy as np
import polars as pl

from pipelines.signals.calibration import Calibration
from pipelines.signals.settings import SignalSettings
from pipelines.validation.logistic import FloatArray
from pipelines.validation.metrics import SignalMetrics

# A bootstrap over fewer sessions gives intervals that are too narrow to claim anything.
SESSIONS_FOR_SKILL = 60


@dataclass(frozen=True)
class TrainedSignal:
    """A calibrated booster and its provenance.

    `trained_through` is the last label end used for fitting, stopping or calibration; the model
    may score sessions after it. `track_record` measures the walk-forward predictions whose labels
    had ended by then, so it looks ahead no more than the model does; None where there were none.
    `feature_ranges` are smallest and largest training values. `data_hash` covers training rows,
    feature names and settings: equal hashes make equal models.
    """

    booster: str
    trees: int
    calibration: Calibration
    features: tuple[str, ...]
    feature_ranges: dict[str, tuple[float, float]]
    base_rate: float
    first_session: date
    trained_through: date
    n_rows: int
    data_hash: str
    settings: SignalSettings
    track_record: SignalMetrics | None

    @property
    def has_skill(self) -> bool:
        """Return whether the model has earned the right to an opinion.

        It ranks better than chance (lower 95 % bound of AUC above 0.5) and its probabilities beat
        the base rate (lower bound of Brier skill above 0), over at least SESSIONS_FOR_SKILL.
        """
        record = self.track_record
        if record is None or record.auc is None or record.brier_skill is None:
            return False
        is_better = record.auc.lower > 0.5 and record.brier_skill.lower > 0.0
        return is_better and record.sessions >= SESSIONS_FOR_SKILL

    def margins(self, rows: pl.DataFrame) -> FloatArray:
        """Return the raw log-odds of each row, before calibration."""
        from pipelines.signals.booster import feature_matrix, raw_margins

        return raw_margins(self.booster, feature_matrix(rows, self.features))

    def contributions(self, rows: pl.DataFrame) -> FloatArray:
        """Return what each feature adds to the calibrated log-odds (rows × features, then bias).

        A row sums to `calibration.log_odds(margin)`.
        """
        from pipelines.signals.booster import feature_matrix, raw_contributions

        raw = raw_contributions(self.booster, feature_matrix(rows, self.features))
        scaled = self.calibration.slope * raw
        scaled[:, -1] += self.calibration.intercept
        return np.asarray(scaled)

    def to_document(self) -> dict[str, Any]:
        """Return plain values that JSON can hold."""
        return {
            **asdict(self),
            "features": list(self.features),
            "first_session": self.first_session.isoformat(),
            "trained_through": self.trained_through.isoformat(),
        }

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Self:
        """Return the model that `to_document` wrote, before or after a trip through JSON."""
        ranges, record = document["feature_ranges"], document["track_record"]
        line = document["calibration"]
        (level, cross), (_, spread) = line["covariance"]
        return cls(
            **{
                **document,
                "calibration": Calibration(
                    line["intercept"], line["slope"], ((level, cross), (cross, spread))
                ),
                "features": tuple(document["features"]),
                "feature_ranges": {name: (low, high) for name, (low, high) in ranges.items()},
                "first_session": date.fromisoformat(document["first_session"]),
                "trained_through": date.fromisoformat(document["trained_through"]),
                "settings": SignalSettings.from_document(document["settings"]),
                "track_record": SignalMetrics.from_document(record) if record else None,
            }
        )


@dataclass(frozen=True)
class SignalTraining:
    """What one training made.

    `predictions` are the out-of-sample rows of every test block: symbol, session, label_end,
    next_session_return, is_up, block (0, 1, …), raw_probability, probability and base_rate.
    `block_metrics` measure each block alone, `metrics` all of them, None where no row is left to
    measure; `final` is the model for tonight.
    """

    folds: tuple[TrainedSignal, ...]
    final: TrainedSignal
    predictions: pl.DataFrame
    block_metrics: tuple[SignalMetrics | None, ...]
    metrics: SignalMetrics | None

    @property
    def models(self) -> tuple[TrainedSignal, ...]:
        """Return every model, by `trained_through`."""
        return (*self.folds, self.final)


def finite_features(features: Sequence[str]) -> list[pl.Expr]:
    """Return the features as FLOAT, null where they are not finite.

    Models are trained and asked on complete rows alone, so an infinity counts as unknown.
    """
    columns = {name: pl.col(name).cast(pl.Float32) for name in features}
    return [
        pl.when(column.is_finite()).then(column).alias(name) for name, column in columns.items()
    ]
