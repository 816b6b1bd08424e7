"""Which model uses which feature, and what it is worth to it.

Key: (feature_name, used_by_model, model_version).
"""

from typing import ClassVar, Literal

from pydantic import Field

from pipelines.documents.base import Index, PublishedDocument
from pipelines.documents.values import Instant, Number, Probability


class FeatureUsage(PublishedDocument):
    """A feature in a version of a model: importance, and correlation with what is foretold."""

    collection: ClassVar[str] = "feature_usages"
    natural_key: ClassVar[tuple[str, ...]] = ("feature_name", "used_by_model", "model_version")
    indexes: ClassVar[tuple[Index, ...]] = (
        Index(
            "nightdesk_feature_usages_natural_key",
            (("feature_name", 1), ("used_by_model", 1), ("model_version", 1)),
            unique=True,
        ),
        Index(
            "nightdesk_feature_usages_importance",
            (("used_by_model", 1), ("model_version", 1), ("feature_importance", -1)),
        ),
    )

    feature_name: str = Field(min_length=1, description="Name of the feature.")
    feature_version: str = Field(description="Number of its version in force.")
    used_by_model: str = Field(description="Family of models.")
    model_version: str = Field(description="Number in the model registry.")
    environment: Literal["production", "staging", "development"] = Field(
        description="production: the model scores tonight; staging: it stands by; development: it "
        "was not promoted, or was withdrawn."
    )
    feature_importance: Probability | None = Field(
        description="Its share of all absolute SHAP values on training rows."
    )
    correlation_with_target: Number | None = Field(
        description="Correlation with the next session's return over training rows; null if none."
    )
    usage_timestamp: Instant = Field(description="When the version was registered.")
    execution_id: str | None = Field(description="MLflow run of the training.")
    market: str = Field(description="Where the data comes from.")


def usage_scope(model_versions: list[str]) -> dict[str, object]:
    """Return which documents of `feature_usages` belong to some versions."""
    return {"used_by_model": "signal", "model_version": model_versions}
