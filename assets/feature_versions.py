"""The history of the features themselves: which definition was in force when."""

import dagster as dg

from assets.features import SIGNAL_FEATURE_NAMES
from assets.groups import Group
from assets.optional_features import CHOICE
from assets.partitions import sessions_of_run
from assets.tables import table_asset
from pipelines.features.version_tables import FEATURE_VERSIONS
from resources.feature_registry import note_versions
from resources.lake import Lake
from resources.market import Market
from resources.nights import Nights


@table_asset(FEATURE_VERSIONS, Group.FEATURES, deps=[*SIGNAL_FEATURE_NAMES, CHOICE])
def feature_versions(
    context: dg.AssetExecutionContext, lake: Lake, market: Market, nights: Nights
) -> dg.MaterializeResult:
    """Every version of every feature, what changed with it, and where its values can be read."""
    night = nights.find(sessions_of_run(context.run.tags, market))[-1]
    report = note_versions(lake, night=night)
    words = "\n".join(f"- `{name}`: {text}" for name, text in report.added.items())
    return dg.MaterializeResult(
        metadata={
            "features": report.features,
            "new_versions": len(report.added),
            "breaking": ", ".join(report.breaking) or "none",
            "taken_out": ", ".join(report.taken_out) or "none",
            "what_changed": dg.MetadataValue.md(words or "nothing"),
        }
    )
