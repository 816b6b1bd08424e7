"""Versions that have scored live nights, one after the other. Key: (model_name, model_version)."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from pipelines.documents.base import Index, PublishedDocument
from pipelines.documents.values import Instant


class Deployment(PublishedDocument):
    """The time in which a version was champion: from its promotion to the next one's."""

    collection: ClassVar[str] = "deployments"
    natural_key: ClassVar[tuple[str, ...]] = ("model_name", "model_version")
    indexes: ClassVar[tuple[Index, ...]] = (
        Index(
            "nightdesk_deployments_natural_key",
            (("model_name", 1), ("model_version", 1)),
            unique=True,
        ),
        Index("nightdesk_deployments_deployed", (("model_name", 1), ("deployed_at", -1))),
    )

    model_name: str = Field(description="Family of models.")
    model_version: str = Field(description="Number in the model registry.")
    experiment_name: str = Field(description="MLflow experiment of its training.")
    status: Literal["active", "terminated", "rollback"] = Field(
        description="active: it scores tonight; terminated: a later one took its place; rollback: "
        "it was withdrawn."
    )
    environment: Literal["production"] = Field(description="Always production: live nights.")
    health_status: Annotated[str, Field(min_length=1)] = Field(description="In words.")
    created_by: str = Field(description="Who deployed it.")
    market: str = Field(description="Where its data comes from.")
    deployed_at: Instant = Field(description="When it was registered as champion.")
    terminated_at: Instant | None = Field(description="When another one took its place.")
    rollback_from: str | None = Field(
        description="The version that was withdrawn for this one; null unless it came back."
    )
    deployment_notes: str = Field(description="Why it was promoted.")
    error_message: str | None = Field(description="Why it was withdrawn; null if it was not.")
