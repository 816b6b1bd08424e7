"""A feature as the backend's registry shows it. Key: (feature_name)."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from pipelines.documents.base import Index, PublishedDocument
from pipelines.documents.feature_parts import (
    FeatureStatistics,
    FeatureTransformation,
    FeatureValidation,
)
from pipelines.documents.values import Instant

Names = Annotated[tuple[str, ...], Field(strict=False)]


class FeatureDefinition(PublishedDocument):
    """What a feature is, how it is computed, what it is held to and how its values are spread."""

    collection: ClassVar[str] = "feature_definitions"
    natural_key: ClassVar[tuple[str, ...]] = ("feature_name",)
    indexes: ClassVar[tuple[Index, ...]] = (
        Index("nightdesk_feature_definitions_table", (("duckdb_table", 1), ("feature_name", 1))),
    )

    feature_name: str = Field(min_length=1, description="Name of the feature.")
    current_version: str = Field(description="Number of the version in force.")
    feature_type: Literal["numerical"] = Field(description="Kind of feature.")
    data_type: Literal["float"] = Field(description="Type of its values.")
    status: Literal["active", "deprecated"] = Field(
        description="deprecated: no longer computed; its versions stay readable in the lake."
    )
    description: str = Field(min_length=10, description="What it says, in a line.")
    owner: str = Field(description="Who answers for it.")
    tags: Names = Field(description="Its group, and what it compares.")
    upstream_features: Names = Field(description="Features whose formula is a part of its own.")
    downstream_features: Names = Field(description="Features of whose formula its own is a part.")
    transformation: FeatureTransformation = Field(description="How it is computed.")
    validation_rules: Annotated[tuple[FeatureValidation, ...], Field(strict=False)] = Field(
        description="What every night holds it to."
    )
    duckdb_table: str = Field(description="The lake's table that holds it.")
    duckdb_view: str | None = Field(description="The view of `make sql` that shows it.")
    statistics: FeatureStatistics | None = Field(
        description="How its values are spread; null where it is no longer computed."
    )
    deprecated_at: Instant | None = Field(description="Instant of the night that missed it first.")
