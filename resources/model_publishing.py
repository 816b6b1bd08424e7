"""What is published of the registry: versions, reigns, trainings and the features they use."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain

from pipelines.documents.base import PublishedDocument
from pipelines.documents.deployment import Deployment
from pipelines.documents.feature_usage import FeatureUsage, usage_scope
from pipelines.documents.model_run import ModelExperiment, ModelRun
from pipelines.documents.model_version import ModelVersion
from pipelines.features.catalogue import SIGNAL_GROUPS
from pipelines.features.groups import features_version
from pipelines.forecasts.pool_history import POOLS_QUERY, PoolHistory
from pipelines.lifecycle.pool_versions import pool_deployment_documents, pool_version_documents
from pipelines.lifecycle.regime_versions import (
    REGIME_VERSIONS_QUERY,
    regime_deployment_documents,
    regime_version_documents,
    regime_versions,
)
from pipelines.lifecycle.run_documents import (
    experiment_document,
    run_documents,
    usage_documents,
)
from pipelines.lifecycle.version_documents import deployment_documents, version_documents
from pipelines.nights import Night
from pipelines.regimes.settings import RegimeSettings
from resources.lake import Lake
from resources.model_registry import ModelRegistry
from resources.publishing_report import PublishingReport
from resources.serving import Serving

OWNER = "team:nightdesk"
NUMBERS_QUERY = """
    SELECT feature, last(number ORDER BY known_at) AS number FROM feature_versions GROUP BY feature
"""


@dataclass(frozen=True)
class ModelPublisher:
    """Publishes the registry of a market as one night sees it."""

    lake: Lake
    registry: ModelRegistry
    serving: Serving
    night: Night

    def publish(self) -> list[PublishingReport]:
        """Make the collections exactly what the registry and the lake say."""
        versions = self.registry.versions(self.night.market)
        runs = self.registry.runs(self.night.market)
        fits = regime_versions(self.lake.read(REGIME_VERSIONS_QUERY, {"as_of": self.night.as_of}))
        pools = PoolHistory.of(self.lake.read(POOLS_QUERY))
        named = {"market": self.night.market, "recipe": RegimeSettings().recipe}
        of_market = {"market": self.night.market}
        experiment = experiment_document(runs, versions, owner=OWNER)
        return [
            self._reconciled(
                ModelVersion,
                chain(
                    version_documents(versions),
                    regime_version_documents(fits, **named),
                    pool_version_documents(pools, **of_market),
                ),
                of_market,
            ),
            self._reconciled(
                Deployment,
                chain(
                    deployment_documents(versions),
                    regime_deployment_documents(fits, **named),
                    pool_deployment_documents(pools, **of_market),
                ),
                of_market,
            ),
            self._reconciled(ModelRun, run_documents(runs, versions), of_market),
            self._reconciled(ModelExperiment, [experiment], {}),
            self._usages(),
        ]

    def _usages(self) -> PublishingReport:
        """Publish what features are worth to versions that learned from today's."""
        known = self.registry.versions(self.night.market)
        today = features_version(SIGNAL_GROUPS)
        versions = [one for one in known if one.features_version == today]
        numbers = [one.number for one in versions]
        documents = usage_documents(
            self.lake.read(
                "SELECT * FROM model_references WHERE list_contains($numbers, model_version)",
                {"numbers": numbers},
            ),
            versions,
            feature_numbers=dict(self.lake.read(NUMBERS_QUERY).iter_rows()),
        )
        return self._reconciled(FeatureUsage, documents, usage_scope([str(n) for n in numbers]))

    def _reconciled(
        self,
        model: type[PublishedDocument],
        documents: Iterable[PublishedDocument],
        scope: Mapping[str, object],
    ) -> PublishingReport:
        """Make our documents of a model in a scope exactly these."""
        self.serving.ensure_indexes([model])
        return self.serving.reconcile(model, documents, scope=scope, as_of=self.night.as_of)
