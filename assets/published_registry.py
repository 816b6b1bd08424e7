"""The feature registry for the backend: definitions, versions and datasets."""

import dagster as dg

from assets.feature_versions import feature_versions
from assets.partitions import sessions_of_run
from assets.published import published_asset
from assets.signals import signal_scores
from resources.lake import Lake
from resources.market import Market
from resources.nights import Nights
from resources.registry_publishing import RegistryPublisher
from resources.serving import Serving


@published_asset(
    [feature_versions, signal_scores],
)
def published_registry(
    context: dg.AssetExecutionContext,
    lake: Lake,
    market: Market,
    nights: Nights,
    serving: Serving,
) -> dg.MaterializeResult:
    """Features in `feature_definitions`, their versions in `feature_versions`, the `datasets`.

    As of the newest night: an older one that is run again has nothing newer to say.
    """
    night = nights.newest(nights.find(sessions_of_run(context.run.tags, market))[-1])
    reports = RegistryPublisher(lake, serving, night).publish()
    lines = [
        f"| {one.collection} | {one.documents} | {one.inserted} | {one.updated} | {one.deleted} |"
        for one in reports
    ]
    head = ["| collection | ours | new | changed | gone |", "| --- | --: | --: | --: | --: |"]
    return dg.MaterializeResult(
        metadata={
            "documents": sum(one.documents for one in reports),
            "others_left_alone": sum(one.foreign_duplicates for one in reports),
            "collections": dg.MetadataValue.md("\n".join(head + lines)),
        }
    )
