"""The manifest of a night: what was published, from which data, by which code. Key: (night_id).

It is written last, so a night without its manifest did not finish.
"""

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from pipelines.documents.base import DocumentPart, Index, PublishedDocument
from pipelines.documents.values import Count, Instant, MapKey, Sha256, Symbol
from pipelines.nights import Origin


class PublishedCollection(DocumentPart):
    """What a night published into one collection."""

    documents: Count = Field(description="Documents of ours in the night's scope.")
    content_hash: Sha256 = Field(description="SHA-256 over their keys and content hashes.")


class PipelineRun(PublishedDocument):
    """What one night published, and everything that is needed to make it again."""

    collection: ClassVar[str] = "pipeline_runs"
    natural_key: ClassVar[tuple[str, ...]] = ("night_id",)
    indexes: ClassVar[tuple[Index, ...]] = (
        Index("nightdesk_pipeline_runs_natural_key", (("night_id", 1),), unique=True),
        Index("nightdesk_pipeline_runs_session", (("market", 1), ("session", -1))),
    )
    bookkeeping: ClassVar[frozenset[str]] = frozenset({"runs"})

    night_id: str = Field(min_length=1, description="Hash of market, session and as_of.")
    market: str = Field(description="Where the data comes from.")
    session: date = Field(description="The trading day of the night.")
    as_of: Instant = Field(description="The instant that the night is seen from.")
    origin: Annotated[Origin, Field(strict=False)] = Field(description="live or backfill.")
    status: Literal["complete", "degraded"] = Field(
        description="degraded: published, but some symbols are stale or bars are quarantined."
    )
    collections: dict[MapKey, PublishedCollection] = Field(
        description="What was published, by collection."
    )
    lake_snapshot: Count = Field(description="Version of the lake that was published.")
    model_versions: dict[MapKey, int] = Field(description="Registry version, by model name.")
    code_version: str = Field(description="Commit of the code that made the documents.")
    lock_hash: Sha256 = Field(description="SHA-256 of requirements.lock.")
    seeds: dict[MapKey, int] = Field(description="Seed of each random generator, by its name.")
    stale_symbols: Annotated[tuple[Symbol, ...], Field(strict=False)] = Field(
        description="Symbols without a bar of the session."
    )
    quarantined: dict[MapKey, Count] = Field(description="Bars withheld, by rule.")
    runs: Annotated[tuple[str, ...], Field(strict=False)] = Field(
        default=(), description="Dagster runs that wrote the documents; bookkeeping, no content."
    )

    def as_kept(self) -> str:
        """Return the content as JSON, as the lake keeps it: a rerun adds a run, and no content."""
        return self.model_dump_json(exclude=set(self.bookkeeping))
