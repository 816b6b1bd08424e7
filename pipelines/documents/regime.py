"""The regime of the market or of a symbol after a session. Key: (symbol, session)."""

from datetime import date
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from pipelines.documents.base import DocumentPart, Index, PublishedDocument
from pipelines.documents.values import Count, Instant, Number, Probability, Symbol
from pipelines.nights import Origin
from pipelines.regimes.names import Regime

SUM_TOLERANCE = 1e-8
"""Four chances of ten digits each sum to one only so nearly."""


class RegimeProbabilities(DocumentPart):
    """How likely each regime is; they sum to 1."""

    bullish: Probability = Field(description="Chance of a bullish state.")
    bearish: Probability = Field(description="Chance of a bearish state.")
    sideways: Probability = Field(description="Chance of a sideways state.")
    volatile: Probability = Field(description="Chance of a volatile state.")

    @model_validator(mode="after")
    def _require_a_whole(self) -> Self:
        """Refuse chances that leave something out."""
        total = self.bullish + self.bearish + self.sideways + self.volatile
        if abs(total - 1.0) > SUM_TOLERANCE:
            message = f"the four probabilities sum to {total}: they must sum to 1"
            raise ValueError(message)
        return self


class RegimeMetrics(DocumentPart):
    """What the last 63 sessions were like."""

    trailing_return_pct: Number = Field(description="Total return, in percent.")
    volatility_pct: Number = Field(ge=0, description="Deviation of returns, percent a year.")
    drawdown_pct: Number = Field(ge=0, description="Fall below the highest level, in percent.")
    momentum_z: Number = Field(description="Mean return in its standard errors.")


class RegimeModelRecord(DocumentPart):
    """The model that tells, and what it was worth on sessions that it had not seen."""

    name: str = Field(description="Family, number of states and columns.")
    applies_from: date = Field(description="First session that it may tell of.")
    fitted_through: date = Field(description="Last session that it was made of.")
    log_score: Number = Field(description="Mean log density of held-out market returns, in nats.")
    gain: Number = Field(description="By how much that beats a market of one state, in nats.")
    switches_per_year: Number = Field(ge=0, description="Changes of its label, held out, a year.")
    agreement: Probability = Field(description="Share of sessions that two fits name alike.")


class MarketRegime(PublishedDocument):
    """What state the market or a symbol is in, by what was known after a session."""

    collection: ClassVar[str] = "market_regimes"
    natural_key: ClassVar[tuple[str, ...]] = ("symbol", "session")
    indexes: ClassVar[tuple[Index, ...]] = (
        Index("nightdesk_market_regimes_natural_key", (("symbol", 1), ("session", 1)), unique=True),
        Index("nightdesk_market_regimes_session", (("session", -1),)),
    )
    bookkeeping: ClassVar[frozenset[str]] = frozenset({"as_of"})

    symbol: Symbol = Field(description="Ticker; MARKET for the market as a whole.")
    session: date = Field(description="The trading day that the regime stands after.")
    as_of: Instant = Field(
        description="Read by the backend: `seen_from`, or, of the newest session, the last "
        "heartbeat. Later sessions have later instants."
    )
    seen_from: Instant = Field(
        description="The night's instant; of a backfill, when the session's bars were final."
    )
    source: str = Field(description="The market that the data comes from.")
    market: str = Field(description="The same.")
    series: str = Field(description="What stands for the market, in words.")
    lookback_days: int = Field(ge=5, description="Calendar days that the metrics look back on.")
    regime: Annotated[Regime, Field(strict=False)] = Field(
        description="The name that holds; it gives way to one that is clearly likelier."
    )
    confidence: Probability = Field(description="Chance of that regime; 0 where there is none.")
    probabilities: RegimeProbabilities = Field(description="Chance of each regime.")
    metrics: RegimeMetrics = Field(description="The last 63 sessions in figures.")
    notes: Annotated[tuple[str, ...], Field(strict=False)] = Field(
        description="The regime in plain words."
    )
    sessions_in_regime: Count = Field(description="For how many sessions the name has stood.")
    expected_sessions: Number | None = Field(
        description="Sessions it should go on; null: no end foreseen."
    )
    transition_risk: Probability = Field(description="Chance that it ends within five sessions.")
    model: RegimeModelRecord | None = Field(description="The model; null without one.")
    abstain_reason: str | None = Field(description="Why there is no regime; null if there is one.")
    night_id: str = Field(description="The night that told it.")
    origin: Annotated[Origin, Field(strict=False)] = Field(description="live or backfill.")

    @model_validator(mode="after")
    def _require_sight_of_the_past_only(self) -> Self:
        """Refuse a model that was made of the session it tells of."""
        if self.model is not None and self.model.fitted_through >= self.session:
            message = (
                f"{self.symbol} {self.session}: the model was fitted through "
                f"{self.model.fitted_through}; tell it by a model of its own time"
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _require_a_regime_or_a_reason(self) -> Self:
        """Refuse a sure regime without a model, and half an abstention."""
        abstains = self.abstain_reason is not None
        if (abstains and self.confidence) or not (abstains or self.model):
            message = (
                f"{self.symbol} {self.session}: confidence {self.confidence} with reason "
                f"{self.abstain_reason!r} and model {self.model}: give a regime with its model, or "
                "a reason with confidence 0"
            )
            raise ValueError(message)
        return self
