"""A version of a feature as the backend's registry shows it. Key: (feature_name, version)."""

from typing import Annotated, ClassVar

from pydantic import Field

from pipelines.documents.base import Index, PublishedDocument
from pipelines.documents.feature_parts import FeatureTransformation, FeatureValidation


class FeatureVersion(PublishedDocument):
    """A version of a feature: what changed with it, and whether that breaks."""

    collection: ClassVar[str] = "feature_versions"
    natural_key: ClassVar[tuple[str, ...]] = ("feature_name", "version")
    indexes: ClassVar[tuple[Index, ...]] = (
        Index("nightdesk_feature_versions_publisher", (("publisher", 1), ("feature_name", 1))),
    )

    feature_name: str = Field(min_length=1, description="Name of the feature.")
    version: str = Field(description="Number; a breaking version raises its first place.")
    changelog: str = Field(min_length=10, description="What changed, and by how much values did.")
    breaking_changes: bool = Field(description="Whether its values are others than before.")
    transformation_snapshot: FeatureTransformation = Field(description="How it is computed.")
    validation_snapshot: Annotated[tuple[FeatureValidation, ...], Field(strict=False)] = Field(
        description="What every night held it to."
    )
    created_by: str = Field(description="Who made it.")
