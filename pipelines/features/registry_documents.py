"""The feature registry as documents: definitions, versions, and the tables as datasets."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import polars as pl

from pipelines.documents.dataset import Dataset
from pipelines.documents.feature_definition import FeatureDefinition
from pipelines.documents.feature_parts import (
    DistributionBin,
    FeatureStatistics,
    FeatureTransformation,
    FeatureValidation,
)
from pipelines.documents.feature_version import FeatureVersion
from pipelines.features.distributions import Distribution
from pipelines.features.groups import Feature, FeatureGroup
from pipelines.features.lineage import feature_lineage, source_columns
from pipelines.table import Table

OWNER = "nightdesk"
VIEW = "latest_features"

SPELLS_QUERY = """
    SELECT table_name, features, nights.as_of,
           lead(nights.as_of) OVER (PARTITION BY table_name ORDER BY first_snapshot) AS ended_at
    FROM feature_table_versions LEFT JOIN nights USING (night_id)
    ORDER BY first_snapshot"""
"""What each table held, since which night, and until which: null while it is in force."""


def feature_definitions(
    groups: Sequence[FeatureGroup],
    versions: pl.DataFrame,
    spells: pl.DataFrame,
    *,
    spread: Mapping[str, Distribution],
    as_of: datetime,
) -> Iterator[FeatureDefinition]:
    """Make the document of every feature that there is or has been.

    Args:
        groups: The features as they are defined now.
        versions: Rows of `feature_versions`.
        spells: Rows of `SPELLS_QUERY`.
        spread: How the values of each feature are spread.
        as_of: The night's instant.
    """
    noted = {(row["feature"], row["version"]): row for row in versions.iter_rows(named=True)}
    lineage = feature_lineage(groups)
    current = {
        feature.name: (group, feature)
        for group in groups
        for feature in group.features
        if (feature.name, feature.expression.version) in noted
    }
    for name, (group, feature) in current.items():
        upstream, downstream = lineage[name]
        row = noted[name, feature.expression.version]
        yield FeatureDefinition(
            **_common(row),
            status="active",
            tags=_tags(group, feature),
            upstream_features=tuple(upstream),
            downstream_features=tuple(downstream),
            transformation=_transformation(row, inputs=source_columns(feature)),
            duckdb_view=VIEW,
            statistics=_statistics(spread[name], as_of),
            deprecated_at=None,
        )
    for last, ended_at in _taken_out(noted, spells, current).values():
        yield FeatureDefinition(
            **_common(last),
            status="deprecated",
            tags=(last["table_name"],),
            upstream_features=(),
            downstream_features=(),
            transformation=_transformation(last),
            duckdb_view=None,
            statistics=None,
            deprecated_at=ended_at,
        )


def feature_version_documents(versions: pl.DataFrame) -> Iterator[FeatureVersion]:
    """Make the document of every version of every feature from rows of `feature_versions`."""
    for row in versions.sort("feature", "number").iter_rows(named=True):
        yield FeatureVersion(
            feature_name=row["feature"],
            version=row["number"],
            changelog=row["changelog"],
            breaking_changes=row["is_breaking"],
            transformation_snapshot=_transformation(row),
            validation_snapshot=_rules(row),
            created_by=OWNER,
        )


def datasets(
    tables: Mapping[str, Table], rows: Mapping[str, int], *, tags: Mapping[str, str]
) -> Iterator[Dataset]:
    """Make the document of each table whose rows are counted.

    Args:
        tables: The lake's tables by name.
        rows: How many rows the tables to tell of have.
        tags: What kind of data a table holds, where it is not plain.
    """
    for name, count in rows.items():
        table = tables[name]
        yield Dataset(
            name=name,
            description=table.description,
            source_type="duckdb",
            table_name=name,
            columns={column.name: column.type for column in table.columns},
            row_count=count,
            column_count=len(table.columns),
            tags=(tags.get(name, "prices"), "derived" if table.is_derived else "kept"),
            owner=OWNER,
        )


def _common(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that follow from the row of a version alone."""
    return {
        "feature_name": row["feature"],
        "current_version": row["number"],
        "feature_type": "numerical",
        "data_type": "float",
        "description": row["description"],
        "owner": OWNER,
        "validation_rules": _rules(row),
        "duckdb_table": row["table_name"],
    }


def _taken_out(
    noted: Mapping[tuple[str, str], Mapping[str, Any]],
    spells: pl.DataFrame,
    current: Mapping[str, object],
) -> dict[str, tuple[Mapping[str, Any], datetime | None]]:
    """Return the last version of each feature that is no more, and when it was missed first."""
    gone = {}
    for spell in spells.iter_rows(named=True):
        for name, version in json.loads(spell["features"]).items():
            if name not in current and (name, version) in noted:
                gone[name] = (noted[name, version], spell["ended_at"])
    return gone


def _tags(group: FeatureGroup, feature: Feature) -> tuple[str, ...]:
    """Return the words that people filter by."""
    is_compared = feature.expression.is_session_wide
    return (group.name, "compares_symbols" if is_compared else "of_one_symbol")


def _transformation(
    row: Mapping[str, Any], *, inputs: Sequence[tuple[str, str]] | None = None
) -> FeatureTransformation:
    """Return how a version is computed."""
    parameters = {
        "formula": row["formula"],
        "look_back_rows": row["look_back"],
        "unit": row["unit"],
        "version": row["version"],
    }
    if inputs is not None:
        parameters["inputs"] = [f"{table}.{column}" for table, column in inputs]
    return FeatureTransformation(transformation_type="sql", code=row["sql"], parameters=parameters)


def _rules(row: Mapping[str, Any]) -> tuple[FeatureValidation, ...]:
    """Return what a version is held to each night."""
    bounds = {"minimum": row["lowest"], "maximum": row["highest"]}
    return (
        FeatureValidation(rule_type="range", parameters=bounds, is_blocking=True),
        FeatureValidation(
            rule_type="unique_key", parameters={"columns": ["symbol", "session"]}, is_blocking=True
        ),
        FeatureValidation(
            rule_type="no_look_ahead",
            parameters={"look_back_rows": row["look_back"]},
            is_blocking=True,
        ),
    )


def _statistics(spread: Distribution, as_of: datetime) -> FeatureStatistics:
    """Return how values are spread, as documents hold it."""
    return FeatureStatistics(
        mean=spread.mean,
        median=spread.median,
        std=spread.std,
        min=spread.minimum,
        max=spread.maximum,
        missing_ratio=spread.missing_share,
        distribution=tuple(
            DistributionBin(lower=one.lower, upper=one.upper, count=one.count, share=one.share)
            for one in spread.bins
        ),
        calculated_at=as_of,
    )
