"""What a feature table reports of itself in the UI: lineage by column, and how it is spread."""

import dagster as dg

from assets.reporting import picture_metadata
from pipelines.features.distributions import distribution_plot
from pipelines.features.groups import FeatureGroup
from pipelines.features.lineage import source_columns
from pipelines.tables import CLEAN_PRICES
from resources.lake import Lake
from resources.registry_publishing import spread_of


def column_lineage(group: FeatureGroup) -> dg.TableColumnLineage:
    """Return which columns of other tables each feature is made from."""
    keys = {name: [_dependency(CLEAN_PRICES.name, name)] for name in ("symbol", "session")}
    features = {
        feature.name: [_dependency(table, column) for table, column in source_columns(feature)]
        for feature in group.features
    }
    return dg.TableColumnLineage(deps_by_column={**keys, **features})


def feature_metadata(lake: Lake, group: FeatureGroup) -> dict[str, dg.MetadataValue]:
    """Return the lineage of a group's columns and a picture of how the last year is spread."""
    plot = distribution_plot(group.name, spread_of(lake, group))
    return {
        "dagster/column_lineage": dg.MetadataValue.column_lineage(column_lineage(group)),
        "distributions": picture_metadata(plot),
    }


def _dependency(table: str, column: str) -> dg.TableColumnDep:
    """Return a column of another table as a dependency."""
    return dg.TableColumnDep(asset_key=dg.AssetKey(table), column_name=column)
