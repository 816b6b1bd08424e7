"""What the feature registry publishes, read from the lake."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from pipelines.documents.base import PublishedDocument
from pipelines.documents.dataset import Dataset
from pipelines.documents.feature_definition import FeatureDefinition
from pipelines.documents.feature_version import FeatureVersion
from pipelines.features.catalogue import GROUPS
from pipelines.features.distributions import Distribution, distributions, recent_values_query
from pipelines.features.groups import FeatureGroup
from pipelines.features.registry_documents import (
    SPELLS_QUERY,
    datasets,
    feature_definitions,
    feature_version_documents,
)
from pipelines.nights import Night
from pipelines.tables import (
    CLEAN_PRICES,
    DAILY_PRICES,
    FEATURE_TABLES,
    NEXT_SESSION_LABELS,
    SIGNAL_SCORES,
    TABLES,
)
from resources.lake import Lake
from resources.publishing_report import PublishingReport
from resources.serving import Serving

KINDS: Mapping[str, str] = {
    **dict.fromkeys((DAILY_PRICES.name, CLEAN_PRICES.name), "prices"),
    **dict.fromkeys(FEATURE_TABLES, "features"),
    NEXT_SESSION_LABELS.name: "labels",
    SIGNAL_SCORES.name: "signals",
}
"""The tables that are told of as datasets, and what kind of data each holds."""


@dataclass(frozen=True)
class RegistryPublisher:
    """Publishes definitions, versions and datasets as one night sees them."""

    lake: Lake
    serving: Serving
    night: Night

    def publish(self) -> list[PublishingReport]:
        """Make the three collections exactly what the lake says."""
        versions = self.lake.read("SELECT * FROM feature_versions")
        definitions = feature_definitions(
            GROUPS,
            versions,
            self.lake.read(SPELLS_QUERY),
            spread=self._spread(set(versions["table_name"])),
            as_of=self.night.as_of,
        )
        return [
            self._reconciled(FeatureDefinition, definitions),
            self._reconciled(FeatureVersion, feature_version_documents(versions)),
            self._reconciled(Dataset, datasets(TABLES, self._rows(), tags=KINDS)),
        ]

    def _reconciled(
        self, model: type[PublishedDocument], documents: Iterable[PublishedDocument]
    ) -> PublishingReport:
        """Make a whole collection of ours these documents."""
        self.serving.ensure_indexes([model])
        return self.serving.reconcile(model, documents, scope={}, as_of=self.night.as_of)

    def _spread(self, noted: Collection[str]) -> dict[str, Distribution]:
        """Return how every feature of the noted tables is spread, a table at a time."""
        return {
            name: one
            for group in GROUPS
            if group.name in noted
            for name, one in spread_of(self.lake, group).items()
        }

    def _rows(self) -> dict[str, int]:
        """Return how many rows the tables have that are told of."""
        rows = " UNION ALL ".join(
            f"SELECT '{name}' AS name, count(*) FROM {name}" for name in KINDS
        )
        return dict(self.lake.read(rows).sort("name").iter_rows())


def spread_of(lake: Lake, group: FeatureGroup) -> dict[str, Distribution]:
    """Return how the features of a group have been spread over the last year."""
    return distributions(lake.read(recent_values_query(list(group.expressions), table=group.name)))
