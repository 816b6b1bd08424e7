"""Trainings and what they belong to. Keys: (run_id) and (name)."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from pipelines.documents.base import DocumentPart, Index, PublishedDocument
from pipelines.documents.evidence import Evidence
from pipelines.documents.model_version import MetricSnapshot
from pipelines.documents.values import Instant, MapKey, Number


class ParameterSnapshot(DocumentPart):
    """One setting of a training."""

    name: str = Field(description="The setting.")
    value: str = Field(description="Its value as text.")


class ArtifactReference(DocumentPart):
    """A file of a training."""

    name: str = Field(description="What it is.")
    uri: str = Field(description="Where MLflow keeps it.")
    artifact_type: str = Field(description="model or plot.")


class ModelRun(PublishedDocument):
    """One training: its settings, what it measured, and what was decided of its model."""

    collection: ClassVar[str] = "model_runs"
    natural_key: ClassVar[tuple[str, ...]] = ("run_id",)
    indexes: ClassVar[tuple[Index, ...]] = (
        Index("nightdesk_model_runs_latest", (("experiment_name", 1), ("started_at", -1))),
    )

    run_id: str = Field(min_length=8, description="MLflow run.")
    experiment_name: str = Field(description="MLflow experiment.")
    status: Literal["running", "completed", "failed", "cancelled"] = Field(
        description="How it ended."
    )
    started_at: Instant = Field(description="When it was registered.")
    completed_at: Instant | None = Field(description="When registering it was over.")
    parameters: Annotated[tuple[ParameterSnapshot, ...], Field(strict=False)] = Field(
        description="Settings of the training."
    )
    metrics: Annotated[tuple[MetricSnapshot, ...], Field(strict=False)] = Field(
        description="Figures out of sample; _lower and _upper end the 95 % interval."
    )
    dataset_name: str = Field(description="What it was trained on.")
    dataset_version: str | None = Field(description="SHA-256 of rows, features and settings.")
    tags: Annotated[tuple[str, ...], Field(strict=False)] = Field(
        description="Market, hash of the features, night and code, as name=value."
    )
    artifacts: Annotated[tuple[ArtifactReference, ...], Field(strict=False)] = Field(
        description="Models and plots."
    )
    notes: str | None = Field(description="What was decided of its model, and why.")
    market: str = Field(description="Where the data comes from.")


class ModelExperiment(PublishedDocument):
    """A family of models: what it is for, and how its trainings have ended."""

    collection: ClassVar[str] = "model_experiments"
    natural_key: ClassVar[tuple[str, ...]] = ("name",)

    name: str = Field(min_length=3, description="MLflow experiment.")
    description: str = Field(min_length=10, description="What its models are for.")
    owner: str = Field(description="Who answers for it.")
    status: Literal["active", "archived"] = Field(description="Whether it is trained.")
    tags: Annotated[tuple[str, ...], Field(strict=False)] = Field(description="Kinds of models.")
    metadata: Evidence = Field(description="The champion, and how often each verdict was given.")
    metrics: dict[MapKey, Number] = Field(description="Figures of the newest training.")
