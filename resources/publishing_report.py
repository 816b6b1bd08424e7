"""What publishing into one collection did."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PublishingReport:
    """What reconciling one collection did, and the hash of what stands there now."""

    collection: str
    inserted: int
    updated: int
    unchanged: int
    deleted: int
    foreign_duplicates: int  # other writers' second documents for keys of ours, left alone
    content_hash: str

    @property
    def documents(self) -> int:
        """How many documents of ours stand in the scope now."""
        return self.inserted + self.updated + self.unchanged


@dataclass(frozen=True)
class PricePublishingReport:
    """What publishing prices did: few chunks were looked at, the figures are of the collection."""

    published: PublishingReport
    chunks: int
    chunks_due: int
