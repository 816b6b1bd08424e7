"""The record of live predictions. Key: (model_name, model_version, session, basis, window)."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from pipelines.documents.base import DocumentPart, Index, PublishedDocument
from pipelines.documents.measured import MeasuredValue
from pipelines.documents.values import Count
from pipelines.nights import Origin
from pipelines.regimes.names import Regime

FAMILIES = ("signal", "regime", "forecast")
"""Families of models whose live predictions have a record."""

MEASURED = (
    *("auc", "brier", "brier_skill", "calibration_slope", "calibration_intercept"),
    *("ic", "rank_ic", "net_return"),
)
"""The figures of a record, by their names in `SignalMetrics`."""


class LiveFigures(DocumentPart):
    """What live predictions were worth; a figure is null where it was not measurable."""

    rows: Count = Field(description="Outcomes measured.")
    sessions: Count = Field(description="Sessions that they are of.")
    note: str | None = Field(description="Why figures are missing; null where they are not.")
    auc: MeasuredValue | None = Field(description="Area under the ROC curve; 0.5 is no skill.")
    brier: MeasuredValue | None = Field(description="Mean square of probability less outcome.")
    brier_skill: MeasuredValue | None = Field(
        description="1 - Brier score / Brier score of the base rate; 0 is no skill."
    )
    calibration_slope: MeasuredValue | None = Field(
        description="Slope of outcomes on log-odds; 1 is calibrated, below 1 is too sure."
    )
    calibration_intercept: MeasuredValue | None = Field(
        description="Level of that line; 0 is calibrated."
    )
    ic: MeasuredValue | None = Field(
        description="Mean over sessions of the correlation of probability and return."
    )
    rank_ic: MeasuredValue | None = Field(description="The same of their ranks.")
    net_return: MeasuredValue | None = Field(
        description="Yearly return of the long-short after costs, for a dollar of both sides."
    )


class LiveRecord(LiveFigures):
    """The live record of the version that gave a signal, over at most a year of sessions."""


class FamilyFigures(DocumentPart):
    """What live regimes or forecasts were worth; a figure is null where it was not measurable.

    A gain is by how much a static baseline is beaten: one normal for all sessions, the random walk.
    """

    log_score: MeasuredValue | None = Field(description="Of the market's next return, in nats.")
    log_score_gain: MeasuredValue | None = Field(description="The same less the baseline's.")
    crps: MeasuredValue | None = Field(description="CRPS of the log return; less is better.")
    crps_gain: MeasuredValue | None = Field(description="The baseline's CRPS less that.")
    coverage_90: MeasuredValue | None = Field(
        description="Share of outcomes within the band of 5 to 95 %."
    )
    hit_rate: MeasuredValue | None = Field(
        description="Share of bullish and bearish regimes that the next session agreed with."
    )
    ended: MeasuredValue | None = Field(description="Share of regimes that ended within five.")
    foretold_ended: MeasuredValue | None = Field(description="Mean chance that was given to that.")
    transition_brier: MeasuredValue | None = Field(description="Brier score of that chance.")
    below_5: MeasuredValue | None = Field(description="Share below the 5 % quantile.")
    below_1: MeasuredValue | None = Field(description="Share below the 1 % quantile.")
    pinball_pct: MeasuredValue | None = Field(
        description="Pinball loss of the published quantiles, per cent of the value."
    )


class ModelTrackRecord(PublishedDocument, LiveFigures):
    """What live predictions were worth by the outcomes that a night knew, with 95 % intervals."""

    collection: ClassVar[str] = "track_records"
    natural_key: ClassVar[tuple[str, ...]] = (
        *("model_name", "model_version", "session", "basis"),
        "window_sessions",
    )
    indexes: ClassVar[tuple[Index, ...]] = (
        Index(
            "nightdesk_track_records_natural_key",
            (
                *(("model_name", 1), ("model_version", 1), ("session", -1)),
                *(("basis", 1), ("window_sessions", 1)),
            ),
            unique=True,
        ),
        Index("nightdesk_track_records_session", (("model_name", 1), ("session", -1))),
    )

    model_name: Literal["signal", "regime", "forecast"] = Field(
        description="Family of models that predicted."
    )
    model_version: str = Field(description="Version of the family, or all of them.")
    session: date = Field(description="The session of the night that measured.")
    basis: Annotated[str, Field(min_length=1)] = Field(
        description="Of signals published: opinions as published; model: all that models said, "
        "abstained or not, by the raw probability, which only ranks. Of regimes market_1, "
        "market_5, symbols_1, symbols_5 and of forecasts horizon_1 to horizon_21: sessions ahead. "
        "With _in_ and the regime where it counts that one's sessions alone."
    )
    regime: Annotated[Regime | None, Field(strict=False)] = Field(
        description="Of predictions made while the market's published regime was this; null: of "
        "all. With the longest window alone."
    )
    window_sessions: Annotated[int, Field(ge=1)] = Field(
        description="The newest sessions with an outcome: at most these."
    )
    market: str = Field(description="Where the data comes from.")
    night_id: str = Field(description="The night that measured.")
    origin: Annotated[Origin, Field(strict=False)] = Field(
        description="live records are never rewritten; backfilled ones may be."
    )
    first_session: date = Field(description="First session measured.")
    last_session: date = Field(description="Last session measured.")
    family: FamilyFigures | None = Field(
        default=None, description="Figures of regimes and forecasts; null of signals."
    )


def track_record_scope(sessions: Sequence[date]) -> dict[str, object]:
    """Return which documents of `track_records` belong to some nights."""
    return {"model_name": list(FAMILIES), "session": sessions}
