"""The record of live predictions. Key: (model_name, model_version, session, basis, window)."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from pipelines.documents.base import DocumentPart, Index, PublishedDocument
from pipelines.documents.measured import MeasuredValue
from pipelines.documents.values import Count
from pipelines.nights import Origin

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

    model_name: Literal["signal"] = Field(description="Family of models that predicted.")
    model_version: str = Field(description="Version in the model registry, or all of them.")
    session: date = Field(description="The session of the night that measured.")
    basis: Literal["published", "model"] = Field(
        description="published: opinions as published; model: all that models said, abstained or "
        "not, by the raw probability, which only ranks."
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


def track_record_scope(sessions: Sequence[date]) -> dict[str, object]:
    """Return which documents of `track_records` belong to some nights."""
    return {"model_name": "signal", "session": sessions}
