"""What came of a live prediction. Key: (model_name, symbol, session, horizon)."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from pipelines.documents.base import Index, PublishedDocument
from pipelines.documents.signal import Recommendation
from pipelines.documents.values import Instant, Number, Probability, Symbol


class PredictionOutcome(PublishedDocument):
    """One live signal and what the next session brought; it appears when that is known."""

    collection: ClassVar[str] = "prediction_outcomes"
    natural_key: ClassVar[tuple[str, ...]] = ("model_name", "symbol", "session", "horizon")
    indexes: ClassVar[tuple[Index, ...]] = (
        Index(
            "nightdesk_prediction_outcomes_natural_key",
            (("model_name", 1), ("symbol", 1), ("session", 1), ("horizon", 1)),
            unique=True,
        ),
        Index(
            "nightdesk_prediction_outcomes_version",
            (("model_name", 1), ("model_version", 1), ("session", -1)),
        ),
        Index("nightdesk_prediction_outcomes_due", (("model_name", 1), ("due_session", -1))),
    )

    model_name: Literal["signal"] = Field(description="Family of models that predicted.")
    symbol: Symbol = Field(description="Ticker, upper case.")
    session: date = Field(description="Last session that the prediction had seen.")
    horizon: Annotated[int, Field(ge=1)] = Field(description="Sessions ahead that it was about.")
    market: str = Field(description="Where the data comes from.")
    night_id: str = Field(description="The night that predicted.")
    model_version: int | None = Field(
        description="Version in the model registry; null if there was no model."
    )
    raw_probability: Probability | None = Field(
        description="The model's own opinion before calibration, abstained or not."
    )
    probability: Probability = Field(description="The chance that was published.")
    base_rate: Probability = Field(description="Share of higher sessions in training.")
    recommendation: Recommendation = Field(description="What was published with it.")
    abstain_reason: str | None = Field(description="Why there was no opinion; null if there was.")
    due_session: date = Field(description="Session whose close decided it.")
    next_session_return: Number = Field(description="Total return of that session, a fraction.")
    is_up: bool = Field(description="Whether that return is above zero.")
    exit_session: date | None = Field(description="Session at whose open a trade on it ends.")
    next_open_return: Number | None = Field(
        description="Return from the open of due_session to that of exit_session, before costs."
    )
    entered_at: Instant = Field(
        description="The instant of the night that entered or last corrected it."
    )


def outcome_scope(due_sessions: Sequence[date]) -> dict[str, object]:
    """Return which documents of `prediction_outcomes` came due in some sessions."""
    return {"model_name": "signal", "due_session": due_sessions}
