"""A trained signal model as a value: what scores, what it was made from, what it has shown."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Self

import numpy as np
import polars as pl

from pipelines.signals.calibration import Calibration
from pipelines.signals.members import Member
from pipelines.signals.settings import Family, SignalSettings
from pipelines.validation.logistic import FloatArray, expit, logit
from pipelines.validation.metrics import SignalMetrics

# Fewer sessions, or a single test block, are one stretch of luck.
SESSIONS_FOR_SKILL = 60
BLOCKS_FOR_SKILL = 2
# One-sided 1 % point of the standard normal: one model of noise in a hundred passes.
INFORMATION_FOR_SKILL = 2.326
# Out of sample on rows without their dispensable features: a quarter, or it is no measurement.
SESSIONS_FOR_INCOMPLETE = 60
# How far beyond the training range of a feature, in widths of that range, a model is still asked.
# A tree says there what it said at the border.
RANGE_MARGIN = 0.1


@dataclass(frozen=True)
class TrainedSignal:
    """A calibrated ensemble of boosters and its provenance.

    The mean margin of `members` is what is calibrated. `trained_through` is the last label end used
    for fitting, stopping or calibration; the model may score sessions after it. `track_record`
    measures the walk-forward predictions whose labels had ended by then, so it looks ahead no more
    than the model does; None where there were none. `may_lack` are features that were missing in
    enough rows of its training, `incomplete_record` what of the track record such rows are.
    `feature_ranges` are smallest and largest training values. `data_hash` covers training rows,
    feature names and settings: equal hashes make equal models.
    """

    members: tuple[Member, ...]
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
    may_lack: tuple[str, ...] = ()
    incomplete_record: SignalMetrics | None = None

    @property
    def trees(self) -> int:
        """Return the trees of all members."""
        return sum(member.trees for member in self.members)

    @property
    def has_skill(self) -> bool:
        """Return whether the model has earned the right to an opinion.

        Out of sample, over at least SESSIONS_FOR_SKILL and BLOCKS_FOR_SKILL, its probabilities
        know something (`information_z`, one-sided at 1 %), and stated as they are they lose less
        than the base rate. The test is of information and not of the gain in log loss: the gain of
        a true probability is half as many standard errors from zero, so testing it would refuse
        most honest daily models, while noise passes neither.
        """
        record = self.track_record
        if record is None or record.information_z is None or record.log_loss_gain is None:
            return False
        is_long = record.sessions >= SESSIONS_FOR_SKILL and record.blocks >= BLOCKS_FOR_SKILL
        is_informed = record.information_z >= INFORMATION_FOR_SKILL
        return is_long and is_informed and record.log_loss_gain.value > 0

    @property
    def knows_incomplete_rows(self) -> bool:
        """Return whether rows that lack features of `may_lack` have earned an opinion too.

        Over at least SESSIONS_FOR_INCOMPLETE the probabilities that such rows were given lost less
        than the base rate.
        """
        record = self.incomplete_record
        if record is None or record.log_loss_gain is None:
            return False
        return record.sessions >= SESSIONS_FOR_INCOMPLETE and record.log_loss_gain.value > 0

    def margins(self, rows: pl.DataFrame) -> FloatArray:
        """Return the mean margin of each row: raw log-odds above those of the base rate."""
        return np.asarray(self.member_margins(rows).mean(axis=0))

    def raw_probability(self, margin: FloatArray) -> FloatArray:
        """Return the probability that a raw margin states, before calibration."""
        return expit(margin + logit(np.array(self.base_rate)))

    def member_margins(self, rows: pl.DataFrame) -> FloatArray:
        """Return the raw margin that each member gives each row (members × rows)."""
        from pipelines.signals.booster import member_margins
        from pipelines.signals.boosting_rows import feature_matrix

        return member_margins(self.members, feature_matrix(rows, self.features))

    def contributions(self, rows: pl.DataFrame) -> FloatArray:
        """Return what each feature adds to the calibrated log-odds (rows × features, then bias).

        A row sums to `calibration.log_odds(margin)`.
        """
        from pipelines.signals.booster import mean_contributions
        from pipelines.signals.boosting_rows import feature_matrix

        raw = mean_contributions(self.members, feature_matrix(rows, self.features))
        scaled = self.calibration.slope * raw
        scaled[:, -1] += self.calibration.intercept
        return np.asarray(scaled)

    def is_out_of_range(self) -> pl.Expr:
        """Return whether a feature lies beyond its training range by more than RANGE_MARGIN."""
        bounds = {
            name: (low - RANGE_MARGIN * (high - low), high + RANGE_MARGIN * (high - low))
            for name, (low, high) in self.feature_ranges.items()
        }
        return ~pl.all_horizontal(
            pl.col(name).is_between(*bounds[name]) | pl.col(name).is_null() for name in bounds
        )

    def to_document(self) -> dict[str, Any]:
        """Return plain values that JSON can hold."""
        return {
            **asdict(self),
            "settings": self.settings.to_document(),
            "features": list(self.features),
            "first_session": self.first_session.isoformat(),
            "trained_through": self.trained_through.isoformat(),
        }

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Self:
        """Return the model that `to_document` wrote, before or after a trip through JSON."""
        ranges, record = document["feature_ranges"], document["track_record"]
        incomplete = document.get("incomplete_record")
        line = document["calibration"]
        (level, cross), (_, spread) = line["covariance"]
        return cls(
            **{
                **document,
                "members": tuple(
                    Member(**{**member, "family": Family(member["family"])})
                    for member in document["members"]
                ),
                "calibration": Calibration(
                    line["intercept"],
                    line["slope"],
                    ((level, cross), (cross, spread)),
                    line["centre"],
                ),
                "features": tuple(document["features"]),
                "feature_ranges": {name: (low, high) for name, (low, high) in ranges.items()},
                "first_session": date.fromisoformat(document["first_session"]),
                "trained_through": date.fromisoformat(document["trained_through"]),
                "settings": SignalSettings.from_document(document["settings"]),
                "track_record": SignalMetrics.from_document(record) if record else None,
                # A version of the registry that was trained before may lack nothing.
                "may_lack": tuple(document.get("may_lack", ())),
                "incomplete_record": SignalMetrics.from_document(incomplete)
                if incomplete
                else None,
            }
        )


@dataclass(frozen=True)
class Trial:
    """What a family of boosters did out of sample: the ledger keeps the trials not published too.

    `predictions` are the out-of-sample rows of every test block: symbol, session, label_end,
    next_session_return, is_up, exit_session and next_open_return (null where not known), block (0,
    1, …), raw_probability, probability, base_rate, is_incomplete and is_out_of_range. `metrics`
    measure them all, None where no row is left to measure.
    """

    family: Family
    predictions: pl.DataFrame
    metrics: SignalMetrics | None


@dataclass(frozen=True)
class SignalTraining:
    """What one training made.

    `final` is the model for tonight, `trials` every family that was tried, the published one last.
    `block_metrics` measure each of its test blocks alone. `challenger` is the recipe of `final`
    kept from the newest sessions; None where nothing is to be compared.
    """

    folds: tuple[TrainedSignal, ...]
    final: TrainedSignal
    trials: tuple[Trial, ...]
    block_metrics: tuple[SignalMetrics | None, ...]
    challenger: TrainedSignal | None = None

    @property
    def published(self) -> Trial:
        """Return the trial of the models that are published."""
        return self.trials[-1]

    @property
    def predictions(self) -> pl.DataFrame:
        """Return the out-of-sample rows of the published models."""
        return self.published.predictions

    @property
    def metrics(self) -> SignalMetrics | None:
        """Return what the published models had shown."""
        return self.published.metrics

    @property
    def models(self) -> tuple[TrainedSignal, ...]:
        """Return every model, by `trained_through`."""
        return (*self.folds, self.final)


def finite_features(features: Sequence[str]) -> list[pl.Expr]:
    """Return the features as FLOAT, null where they are not finite.

    An infinity counts as unknown.
    """
    columns = {name: pl.col(name).cast(pl.Float32) for name in features}
    return [
        pl.when(column.is_finite()).then(column).alias(name) for name, column in columns.items()
    ]
