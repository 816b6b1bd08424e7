"""A table of the lake as the backend's registry of datasets shows it. Key: (name).

Its bytes are not told: compaction changes them, and the same night makes the same documents.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from pipelines.documents.base import Index, PublishedDocument
from pipelines.documents.values import Count, MapKey


class Dataset(PublishedDocument):
    """A table of the lake, or a training set: what a row is, its columns, how many rows."""

    collection: ClassVar[str] = "datasets"
    natural_key: ClassVar[tuple[str, ...]] = ("name",)
    indexes: ClassVar[tuple[Index, ...]] = (
        Index("nightdesk_datasets_table", (("publisher", 1), ("table_name", 1))),
    )

    name: str = Field(min_length=1, description="Name of the dataset.")
    description: str = Field(min_length=10, description="What a row is.")
    source_type: Literal["duckdb"] = Field(description="Engine that reads it.")
    table_name: str | None = Field(description="The lake's table; null for a training set.")
    columns: dict[MapKey, str] = Field(
        serialization_alias="schema", description="Type of each column, by its name."
    )
    row_count: Count = Field(description="Rows.")
    column_count: Count = Field(description="Columns.")
    tags: Annotated[tuple[str, ...], Field(strict=False)] = Field(description="Kinds of data.")
    owner: str = Field(description="Who answers for it.")
