"""Versions of models with the checklist each was judged by. Key: (model_name, version)."""

from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from pipelines.documents.base import DocumentPart, Index, PublishedDocument
from pipelines.documents.values import Instant, Number


class ModelStage(StrEnum):
    """What a version does.

    production: it scores tonight. staging: it was promoted and stands by, for a rollback or a
    broken file. experimental: a walk-forward model that scores the past alone. archived: it was not
    promoted, or was withdrawn.
    """

    EXPERIMENTAL = "experimental"
    STAGING = "staging"
    PRODUCTION = "production"
    ARCHIVED = "archived"


class ApprovalItem(DocumentPart):
    """One condition of a promotion."""

    name: str = Field(description="The condition.")
    status: Literal["pending", "passed", "failed"] = Field(
        description="pending: it was not asked, since there was nothing to compare."
    )
    note: str | None = Field(description="What was found.")
    completed_at: Instant | None = Field(description="When it was decided.")


class MetricSnapshot(DocumentPart):
    """One measured figure."""

    metric_name: str = Field(description="The figure; _lower and _upper end its 95 % interval.")
    value: Number = Field(description="Its value.")
    dataset: str | None = Field(description="What it was measured on.")


class ModelVersion(PublishedDocument):
    """A version of a model: what it was made from, what was asked of it and what became of it."""

    collection: ClassVar[str] = "model_versions"
    natural_key: ClassVar[tuple[str, ...]] = ("model_name", "version")
    indexes: ClassVar[tuple[Index, ...]] = (
        Index(
            "nightdesk_model_versions_trained",
            (("model_name", 1), ("market", 1), ("trained_through", -1)),
        ),
    )

    model_name: str = Field(description="Family of models.")
    version: str = Field(description="Number in the model registry.")
    run_id: str = Field(description="MLflow run of the training.")
    stage: Annotated[ModelStage, Field(strict=False)] = Field(
        description="production scores tonight, staging stands by, experimental scores the past."
    )
    approval_checklist: Annotated[tuple[ApprovalItem, ...], Field(strict=False)] = Field(
        description="What was asked before it could be promoted."
    )
    metrics: Annotated[tuple[MetricSnapshot, ...], Field(strict=False)] = Field(
        description="What the challenge and the walk-forward test measured."
    )
    approved_by: str | None = Field(description="Who promoted it; null if nobody did.")
    approved_at: Instant | None = Field(description="When it was promoted.")
    rollback_notes: str | None = Field(description="Who withdrew it, when, for what, and why.")
    market: str = Field(description="Where its data comes from.")
    alias: Literal["champion", "challenger"] | None = Field(
        description="champion scores tonight, challenger is of the newest training, not promoted."
    )
    verdict: str | None = Field(description="first, promoted, refreshed, kept or blocked.")
    reason: str | None = Field(description="Why, in words.")
    trained_through: date = Field(description="Last label end that it has seen.")
    serves_through: date | None = Field(
        description="Last session that a walk-forward model may score."
    )
    data_hash: str = Field(description="SHA-256 of rows, features and settings it was made from.")
    features_version: str = Field(description="Hash of the feature definitions.")
    code_version: str | None = Field(description="Hash of the code that trained it.")
    lake_snapshot: int | None = Field(description="Version of the lake that it was trained on.")
    night_id: str | None = Field(description="The night that trained it.")
    challenged: str | None = Field(description="The version that was champion before.")
    alpha: Number | None = Field(description="What its challenge spent of the year's budget.")
