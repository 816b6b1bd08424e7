"""What came of a live prediction. Key: (model_name, symbol, session, horizon)."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from pipelines.documents.base import DocumentPart, Index, PublishedDocument
from pipelines.documents.signal import Recommendation
from pipelines.documents.track_record import FAMILIES
from pipelines.documents.values import Instant, Number, Probability
from pipelines.regimes.names import Regime


class RegimeOutcome(DocumentPart):
    """What came of a regime: at horizon 1 the next return, at horizon 5 whether it has ended."""

    regime: Annotated[Regime, Field(strict=False)] = Field(description="The name that was told.")
    transition_risk: Probability = Field(description="Chance given to its end within five.")
    realised_return: Number | None = Field(description="Return of due_session, a fraction.")
    is_hit: bool | None = Field(
        description="Bullish and it rose, or bearish and it fell; null of the other names."
    )
    has_ended: bool | None = Field(description="Whether another name was told within five.")
    log_score: Number | None = Field(description="Log density foretold of the market's log return.")
    log_score_baseline: Number | None = Field(
        description="The same of one normal with the moments of the fit's sessions."
    )
    crps: Number | None = Field(description="Continuous ranked probability score of that return.")
    crps_baseline: Number | None = Field(description="The same of that normal.")
    level: Probability | None = Field(
        description="Where the return lay in what was foretold: uniform if that is right."
    )


class ForecastOutcome(DocumentPart):
    """What came of a portfolio's forecast at one horizon."""

    realised_return_pct: Number = Field(description="Return over the horizon, per cent.")
    is_within_90: bool = Field(description="Whether the value lay within the band of 5 to 95 %.")
    is_below_5: bool = Field(description="Whether the value at risk of 95 % was exceeded.")
    is_below_1: bool = Field(description="Whether the value at risk of 99 % was exceeded.")
    pinball_pct: Number = Field(
        description="Mean pinball loss of the nine published quantiles, per cent of the value."
    )
    crps: Number | None = Field(description="CRPS of the calibrated pool, in log growth.")
    crps_baseline: Number | None = Field(description="The same of the random walk.")


class PredictionOutcome(PublishedDocument):
    """One live prediction and what came of it; it appears when that is known.

    Fields from raw_probability to recommendation, and from next_session_return to next_open_return,
    are of signals; `regime` and `forecast` hold what came of the others.
    """

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

    model_name: Literal["signal", "regime", "forecast"] = Field(
        description="Family of models that predicted."
    )
    symbol: Annotated[str, Field(min_length=1)] = Field(
        description="Ticker, or MARKET; of a forecast its portfolio."
    )
    session: date = Field(description="Last session that the prediction had seen.")
    horizon: Annotated[int, Field(ge=1)] = Field(description="Sessions ahead that it was about.")
    market: str = Field(description="Where the data comes from.")
    night_id: str = Field(description="The night that predicted.")
    model_version: int | str | None = Field(
        description="Version of its family; null if there was no model."
    )
    raw_probability: Probability | None = Field(
        default=None, description="The model's own opinion before calibration, abstained or not."
    )
    probability: Probability | None = Field(
        default=None, description="The chance that was published."
    )
    base_rate: Probability | None = Field(
        default=None, description="Share of higher sessions in training."
    )
    recommendation: Recommendation | None = Field(
        default=None, description="What was published with it."
    )
    abstain_reason: str | None = Field(
        default=None, description="Why there was no opinion; null if there was."
    )
    due_session: date = Field(description="Session whose close decided it.")
    next_session_return: Number | None = Field(
        default=None, description="Total return of that session, a fraction."
    )
    is_up: bool | None = Field(default=None, description="Whether that return is above zero.")
    exit_session: date | None = Field(
        default=None, description="Session at whose open a trade on it ends."
    )
    next_open_return: Number | None = Field(
        default=None,
        description="Return from the open of due_session to that of exit_session, before costs.",
    )
    regime: RegimeOutcome | None = Field(default=None, description="Of a regime, what came of it.")
    forecast: ForecastOutcome | None = Field(
        default=None, description="Of a forecast, what came of it."
    )
    entered_at: Instant = Field(
        description="The instant of the night that entered or last corrected it."
    )


def outcome_scope(due_sessions: Sequence[date]) -> dict[str, object]:
    """Return which documents of `prediction_outcomes` came due in some sessions."""
    return {"model_name": list(FAMILIES), "due_session": due_sessions}
