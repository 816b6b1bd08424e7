"""Portfolio forecasts: a calibrated fan, its risk, and what earlier ones were worth.

Key: (portfolio_id, session, horizon_days). A portfolio that can't be forecast has a document with
the reason, no bands and zeros in place of expectations.
"""

from collections.abc import Iterable
from datetime import date
from typing import Annotated, ClassVar

from pydantic import Field

from pipelines.documents.base import DocumentPart, Index, PublishedDocument
from pipelines.documents.measured import MeasuredValue
from pipelines.documents.values import Count, Instant, Number, Probability
from pipelines.forecasts.light import Light
from pipelines.nights import Night, Origin

METHODOLOGY = "calibrated_pool"


class PercentileBand(DocumentPart):
    """A quantile of the value at the end of the horizon."""

    percentile: Annotated[int, Field(ge=0, le=100)] = Field(description="Of a hundred.")
    projected_value: Number = Field(description="The value, in dollars.")


class FanPoint(DocumentPart):
    """The quantiles of one session ahead, in dollars."""

    sessions_ahead: Annotated[int, Field(ge=1)] = Field(description="Sessions from the last one.")
    p01: Number = Field(description="1 % lie below.")
    p05: Number = Field(description="5 % lie below.")
    p10: Number = Field(description="10 % lie below.")
    p25: Number = Field(description="25 % lie below.")
    p50: Number = Field(description="The median.")
    p75: Number = Field(description="75 % lie below.")
    p90: Number = Field(description="90 % lie below.")
    p95: Number = Field(description="95 % lie below.")
    p99: Number = Field(description="99 % lie below.")
    expected_return_pct: Number = Field(description="Mean return until then, in per cent.")
    expected_volatility_pct: Number = Field(description="Deviation of that return, in per cent.")


class ForecastRisk(DocumentPart):
    """What may be lost by the end of the horizon, in per cent of the value; losses are positive."""

    value_at_risk_95_pct: Number = Field(description="Exceeded with 5 %.")
    value_at_risk_99_pct: Number = Field(description="Exceeded with 1 %.")
    expected_shortfall_95_pct: Number = Field(description="Mean loss where the former is exceeded.")
    expected_shortfall_99_pct: Number = Field(description="Mean loss where the latter is exceeded.")
    probability_of_loss: Probability = Field(description="Of ending below the last value.")
    probability_of_drawdown_5_pct: Probability = Field(
        description="Of falling more than 5 % from the highest value on the way."
    )
    probability_of_drawdown_10_pct: Probability = Field(description="The same of 10 %.")
    probability_of_drawdown_20_pct: Probability = Field(description="The same of 20 %.")


class ModelShare(DocumentPart):
    """How much one model counts, and what it was worth."""

    model: str = Field(description="Name of the model.")
    weight: Probability = Field(description="Its weight in the pool at this horizon.")
    crps: Number | None = Field(
        description="Its mean CRPS in the last year, in log growth; null without outcomes."
    )


class ForecastRecord(DocumentPart):
    """What forecasts of this horizon were worth in the last year, on outcomes that are known."""

    coverage_90: MeasuredValue = Field(description="Share of outcomes within p05 and p95.")
    below_5: MeasuredValue = Field(description="Share of outcomes below p05.")
    origins: Count = Field(description="Forecasts counted, one a session.")
    effective_origins: Number = Field(
        description="Independent ones that they are worth, since outcomes overlap."
    )
    mean_width_pct: Number = Field(description="Mean width from p05 to p95, in per cent.")
    crps: Number = Field(description="Mean CRPS of the log growth.")
    crps_of_random_walk: Number = Field(description="The same of the random walk with drift.")
    diebold_mariano: Number | None = Field(
        description="Statistic against the random walk: negative is better; null if they are alike."
    )
    diebold_mariano_p_value: Probability | None = Field(description="Its two-sided p-value.")


class RiskTest(DocumentPart):
    """One-session risk of one confidence over the last 250 sessions."""

    confidence: Probability = Field(description="0.95 or 0.99.")
    sessions: Count = Field(description="Sessions counted.")
    exceptions: Count = Field(description="Sessions that lost more than the value at risk.")
    traffic_light: Light = Field(description="The Basel Committee's.")
    kupiec_p_value: Probability = Field(description="Are exceptions as many as they should be?")
    christoffersen_p_value: Probability = Field(description="Do they come independently?")
    conditional_p_value: Probability = Field(description="Both at once.")
    acerbi_szekely: Number = Field(description="Z of the expected shortfall: negative is too low.")
    acerbi_szekely_p_value: Probability = Field(description="One-sided, by simulation.")


class PortfolioForecast(PublishedDocument):
    """What may become of one portfolio over one horizon."""

    collection: ClassVar[str] = "portfolio_forecasts"
    natural_key: ClassVar[tuple[str, ...]] = ("portfolio_id", "session", "horizon_days")
    indexes: ClassVar[tuple[Index, ...]] = (
        Index(
            "nightdesk_portfolio_forecasts_natural_key",
            (("portfolio_id", 1), ("session", 1), ("horizon_days", 1)),
            unique=True,
        ),
        Index("nightdesk_portfolio_forecasts_session", (("session", -1), ("horizon_days", 1))),
    )

    portfolio_id: str = Field(min_length=1, description="Source and name of the portfolio.")
    name: str = Field(description="Name for people.")
    session: date = Field(description="Last session that the forecast has seen.")
    horizon_days: Annotated[int, Field(ge=1)] = Field(description="Sessions ahead.")
    market: str = Field(description="Where the data comes from.")
    night_id: str = Field(description="The night that forecast.")
    origin: Annotated[Origin, Field(strict=False)] = Field(
        description="live forecasts are never rewritten; backfills fill missing nights."
    )
    as_of: Instant = Field(description="The instant that the night is seen from.")
    last_portfolio_value: Number = Field(description="Value that it starts from; 0 if unknown.")
    expected_return_pct: Number = Field(description="Mean return over the horizon, in per cent.")
    expected_volatility_pct: Number = Field(description="Deviation of that return, in per cent.")
    percentile_bands: Annotated[tuple[PercentileBand, ...], Field(strict=False)] = Field(
        description="The fan at the end of the horizon; empty if there is no forecast."
    )
    methodology: str = Field(description="How it was made.")
    abstain_reason: str | None = Field(description="Code of why there is no forecast.")
    abstain_message: str | None = Field(description="The same in words, with the way out.")
    fan: Annotated[tuple[FanPoint, ...], Field(strict=False)] = Field(
        description="Quantiles of every session through the horizon."
    )
    risk: ForecastRisk | None = Field(description="What may be lost.")
    models: Annotated[tuple[ModelShare, ...], Field(strict=False)] = Field(
        description="The models behind it."
    )
    published_model: str = Field(
        description="pool, or the model that stands in for it after a red light; none."
    )
    pool_version: str | None = Field(
        None,
        description="The pool in `model_versions`; null without a forecast and in older ones.",
    )
    record: ForecastRecord | None = Field(description="What earlier ones were worth; null if new.")
    risk_tests: Annotated[tuple[RiskTest, ...], Field(strict=False)] = Field(
        description="Backtests of one-session risk; empty before 250 outcomes."
    )
    history_sessions: Count = Field(description="Sessions of the portfolio's curve.")
    calibrated_levels: Annotated[tuple[Probability, ...], Field(strict=False)] = Field(
        description="Where in the models' distribution each of the nine quantiles is read off."
    )


def forecast_scope(nights: Iterable[Night]) -> dict[str, object]:
    """Return which documents of `portfolio_forecasts` belong to some nights."""
    return {"session": [night.session for night in nights]}
