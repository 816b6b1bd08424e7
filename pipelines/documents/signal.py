"""Signals: tonight's opinion on each symbol, with the model's measured record.

Key: (symbol, session, horizon). Whoever has no opinion says so: an abstaining signal is `hold` at
the base rate with confidence 0 and a reason.
"""

import math
from datetime import date
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from pipelines.documents.base import DocumentPart, Index, PublishedDocument
from pipelines.documents.contribution import FeatureContribution
from pipelines.documents.measured import MeasuredValue
from pipelines.documents.track_record import LiveRecord
from pipelines.documents.values import Count, Instant, Number, Probability, Symbol
from pipelines.nights import Origin

Recommendation = Literal["strong_buy", "buy", "hold", "sell", "strong_sell"]

LARGEST_UNEXPLAINED = 1e-6
"""Log-odds that rounding to 10 digits may leave between a probability and its explanation."""

LARGEST_UNSPLIT = 1e-8
"""Probability that rounding may leave between a move and its parts."""


class TrackRecord(DocumentPart):
    """How the model did on sessions that it had not seen; null where that was not measurable."""

    auc: MeasuredValue | None = Field(description="Area under the ROC curve; 0.5 is no skill.")
    brier_skill: MeasuredValue | None = Field(
        description="1 - Brier score / Brier score of the base rate; 0 is no skill."
    )
    calibration_slope: MeasuredValue | None = Field(
        description="Slope of outcomes on log-odds; 1 is calibrated, below 1 is too sure."
    )
    sessions: Count = Field(description="Sessions measured on.")
    rows: Count = Field(description="Predictions measured on.")


class SignalChange(DocumentPart):
    """What moved a probability since the session before, in probability; the parts add up."""

    former_session: date = Field(description="The session before.")
    former_model_version: Count = Field(description="The version that scored it.")
    former_probability: Probability = Field(description="The opinion that was published then.")
    data_revision: Number = Field(
        description="By what revisions have changed since in that session's features."
    )
    new_bar: Number = Field(description="By tonight's features in their place.")
    model: Number = Field(description="By tonight's ensemble, on the former calibration line.")
    calibration: Number = Field(description="By tonight's calibration line.")


class MLSignal(PublishedDocument):
    """The opinion of one night on the next sessions of one symbol."""

    collection: ClassVar[str] = "ml_signals"
    natural_key: ClassVar[tuple[str, ...]] = ("symbol", "session", "horizon")
    indexes: ClassVar[tuple[Index, ...]] = (
        Index(
            "nightdesk_ml_signals_natural_key",
            (("symbol", 1), ("session", 1), ("horizon", 1)),
            unique=True,
        ),
        Index("nightdesk_ml_signals_session", (("session", -1), ("horizon", 1))),
    )

    symbol: Symbol = Field(description="Ticker, upper case.")
    session: date = Field(description="Last session that the signal has seen.")
    horizon: Annotated[int, Field(ge=1)] = Field(
        description="Sessions ahead that the opinion is about."
    )
    market: str = Field(description="Where the data comes from.")
    night_id: str = Field(description="The night that scored.")
    origin: Annotated[Origin, Field(strict=False)] = Field(
        description="live signals are never rewritten; backfills fill missing nights."
    )
    as_of: Instant = Field(description="The instant that the night is seen from.")
    lookback_days: Annotated[int, Field(ge=5)] = Field(
        description="Calendar days of history that the features look back on."
    )
    probability: Probability = Field(description="Chance that the horizon ends higher.")
    base_rate: Probability = Field(description="Share of higher sessions in training.")
    confidence: Probability = Field(description="How surely probability differs from base_rate.")
    recommendation: Recommendation = Field(description="Bucket of probability around base_rate.")
    abstain_reason: str | None = Field(
        default=None, description="Code of why there is no opinion; null when there is one."
    )
    model_version: int | None = Field(
        default=None, description="Version in the model registry; null if there was no model."
    )
    trained_through: date | None = Field(
        default=None, description="Last label end used in fitting, stopping or calibration."
    )
    track_record: TrackRecord | None = Field(
        default=None, description="The model's out-of-sample figures; null if there was no model."
    )
    live_record: LiveRecord | None = Field(
        default=None,
        description="What the model's published opinions were worth, of all that had come due by "
        "the night; null before the first. Live signals count, backfilled ones don't.",
    )
    feature_contributions: Annotated[tuple[FeatureContribution, ...], Field(strict=False)] = Field(
        default=(), description="What each feature contributed, largest first."
    )
    baseline_log_odds: Number | None = Field(
        default=None,
        description="Log-odds of the probability before any contribution; with them, after all.",
    )
    top_signals: Annotated[tuple[str, ...], Field(strict=False)] = Field(
        default=(), description="The largest contributions in plain words."
    )
    change: SignalChange | None = Field(
        default=None,
        description="What moved the probability since the session before; null where one of the "
        "two abstains, or the former was scored from other features.",
    )

    @model_validator(mode="after")
    def _require_sight_of_the_past_only(self) -> Self:
        """Refuse a model that was trained on the session it scores."""
        if self.trained_through is not None and self.trained_through >= self.session:
            message = (
                f"{self.symbol} {self.session}: trained_through {self.trained_through} is not "
                "before the session; score it with a model of its own time"
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _require_a_whole_opinion_or_none(self) -> Self:
        """Refuse half an abstention, and an opinion without the model and record behind it."""
        if self.abstain_reason is None:
            _require_no_gap(self, (self.model_version, self.trained_through, self.track_record))
        elif (self.recommendation, self.confidence) != ("hold", 0) or (
            self.probability != self.base_rate
        ):
            message = (
                f"{self.symbol} {self.session} abstains ({self.abstain_reason}): publish hold, "
                f"confidence 0 and the base rate {self.base_rate}, not {self.recommendation}, "
                f"{self.confidence} and {self.probability}"
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _require_contributions_that_add_up(self) -> Self:
        """Refuse an explanation that does not sum to what it explains."""
        if self.baseline_log_odds is None or not 0 < self.probability < 1:
            return self
        stated = math.log(self.probability / (1 - self.probability))
        told = self.baseline_log_odds + sum(part.impact for part in self.feature_contributions)
        if abs(stated - told) > LARGEST_UNEXPLAINED:
            message = (
                f"{self.symbol} {self.session}: contributions and baseline_log_odds sum to {told}, "
                f"but the log-odds of the probability are {stated}: give the contributions of the "
                "model that gave the probability"
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _require_parts_that_add_up(self) -> Self:
        """Refuse a change whose parts are not the move of the probability."""
        if (told := self.change) is None:
            return self
        parts = told.data_revision + told.new_bar + told.model + told.calibration
        moved = self.probability - told.former_probability
        if abs(parts - moved) > LARGEST_UNSPLIT:
            message = (
                f"{self.symbol} {self.session}: the probability moved by {moved}, but the parts "
                f"of the change sum to {parts}: split the move between the published opinions"
            )
            raise ValueError(message)
        return self


def _require_no_gap(signal: MLSignal, evidence: tuple[object, ...]) -> None:
    """Refuse an opinion that does not name its model, training end and track record."""
    if any(part is None for part in evidence):
        message = (
            f"{signal.symbol} {signal.session} has an opinion but no model_version, "
            "trained_through or track_record: give all three, or abstain with a reason"
        )
        raise ValueError(message)
