"""Drift of a model, one event for each episode. Key: (model_name, version, metric, detected_at)."""

from collections.abc import Sequence
from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from pipelines.documents.base import Index, PublishedDocument
from pipelines.documents.values import Instant, Number, Probability


class ModelDriftEvent(PublishedDocument):
    """What has moved away from what a model learned from, how far, and what to do."""

    collection: ClassVar[str] = "model_drift_events"
    natural_key: ClassVar[tuple[str, ...]] = (
        *("model_name", "version", "metric_name"),
        "detected_at",
    )
    indexes: ClassVar[tuple[Index, ...]] = (
        Index(
            "nightdesk_model_drift_events_natural_key",
            (("model_name", 1), ("version", 1), ("metric_name", 1), ("detected_at", 1)),
            unique=True,
        ),
        Index("nightdesk_model_drift_events_session", (("market", 1), ("session", -1))),
    )

    model_name: str = Field(description="Family of models.")
    version: str = Field(description="Number in the model registry: the champion of the night.")
    detected_at: Instant = Field(description="The instant of the night that found it first.")
    severity: Literal["low", "medium", "high", "critical"] = Field(
        description="By PSI, and one more for a feature that counts for a twentieth or more."
    )
    metric_name: str = Field(
        description="psi_ and a feature, 'prediction' or 'label'; or live_auc."
    )
    metric_value: Number = Field(description="PSI; of live_auc the upper end of its 95 % interval.")
    threshold: Number | None = Field(description="From where it counts.")
    message: str | None = Field(description="What was found, in words.")
    remediation_action: str | None = Field(description="What a person should do.")
    market: str = Field(description="Where the data comes from.")
    session: date = Field(description="The session of the night that found it first.")
    night_id: str = Field(description="That night.")
    ks: Probability | None = Field(description="Kolmogorov–Smirnov distance.")
    p_value: Probability | None = Field(description="Chance of a month of training so far off.")
    importance: Probability | None = Field(description="Share of all absolute SHAP values.")


def drift_scope(market: str, sessions: Sequence[date]) -> dict[str, object]:
    """Return which events began in some nights."""
    return {"market": market, "session": sessions}
