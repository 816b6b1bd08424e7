"""Noting which versions of features the lake holds, once its feature tables are derived."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.features.catalogue import GROUPS
from pipelines.features.derivation import feature_derivation
from pipelines.features.groups import Feature, FeatureGroup
from pipelines.features.version_tables import FEATURE_TABLE_VERSIONS, FEATURE_VERSIONS
from pipelines.features.versions import (
    Comparison,
    comparison_query,
    version_frame,
    version_row,
)
from pipelines.nights import Night
from pipelines.tables import CLEAN_PRICES
from resources.lake import Lake
from resources.lake_writer import LakeWriter


@dataclass(frozen=True)
class VersionReport:
    """What noting versions found: new ones with what changed, and features taken out."""

    features: int
    added: Mapping[str, str]
    breaking: Sequence[str]
    taken_out: Sequence[str]


def note_versions(
    lake: Lake, *, night: Night, groups: Sequence[FeatureGroup] = GROUPS
) -> VersionReport:
    """Note which versions the feature tables hold; nothing new leaves no trace."""
    return lake.commit(
        lambda writer: _Noting(writer, night).of(groups), night=night, message="note versions"
    )


@dataclass(frozen=True)
class _Noting:
    """The transaction that notes them."""

    writer: LakeWriter
    night: Night

    def of(self, groups: Sequence[FeatureGroup]) -> VersionReport:
        """Note the versions of derived groups; one that is not derived yet has none."""
        spells, known = self._spells(), self._known()
        added: list[dict[str, Any]] = []
        for group in groups:
            position = self.writer.position(
                group.name, CLEAN_PRICES.name, recipe=feature_derivation(group).recipe
            )
            if position is None:
                continue
            spell = spells.get(group.name)
            if spell is not None and spell["group_version"] == group.version:
                self._prolong(spell, position)
                continue
            added += [
                self._version(feature, group, spells, known)
                for feature in group.features
                if feature.expression.version not in _versions_of(known, feature.name)
            ]
            self._begin(group)
        if added:
            self.writer.append(FEATURE_VERSIONS, version_frame(added))
        names = {feature.name for group in groups for feature in group.features}
        return VersionReport(
            features=len(names),
            added={row["feature"]: row["changelog"] for row in added},
            breaking=[row["feature"] for row in added if row["is_breaking"]],
            taken_out=sorted(known.keys() - names),
        )

    def _spells(self) -> dict[str, dict[str, Any]]:
        """Return what each table was last seen to hold."""
        rows = self.writer.read(
            f"SELECT * FROM {FEATURE_TABLE_VERSIONS.name} "
            "QUALIFY first_snapshot = max(first_snapshot) OVER (PARTITION BY table_name)"
        )
        return {row["table_name"]: row for row in rows.iter_rows(named=True)}

    def _known(self) -> dict[str, list[dict[str, Any]]]:
        """Return the versions of each feature, in the order in which they came."""
        known: dict[str, list[dict[str, Any]]] = {}
        rows = self.writer.read(f"SELECT * FROM {FEATURE_VERSIONS.name} ORDER BY known_at, number")
        for row in rows.iter_rows(named=True):
            known.setdefault(row["feature"], []).append(row)
        return known

    def _prolong(self, spell: Mapping[str, Any], position: int) -> None:
        """Move the end of a spell on, where the table has been derived since."""
        if spell["last_snapshot"] <= position:
            self.writer.connection.execute(
                f"UPDATE {FEATURE_TABLE_VERSIONS.name} SET last_snapshot = $version "
                "WHERE table_name = $table AND first_snapshot = $first",
                {
                    "version": self.writer.version(),
                    "table": spell["table_name"],
                    "first": spell["first_snapshot"],
                },
            )

    def _begin(self, group: FeatureGroup) -> None:
        """Begin the spell of other versions."""
        versions = {feature.name: feature.expression.version for feature in group.features}
        version = self.writer.version()
        self.writer.connection.execute(
            f"INSERT INTO {FEATURE_TABLE_VERSIONS.name} "
            "VALUES ($table, $version, $version, $group_version, $features, $night)",
            {
                "table": group.name,
                "version": version,
                "group_version": group.version,
                "features": json.dumps(versions),
                "night": self.night.night_id,
            },
        )

    def _version(
        self,
        feature: Feature,
        group: FeatureGroup,
        spells: Mapping[str, Mapping[str, Any]],
        known: Mapping[str, list[dict[str, Any]]],
    ) -> dict[str, Any]:
        """Return the row of a new version, compared with the one in force before."""
        before = _in_force_before(feature.name, spells)
        comparison = None
        earlier = list(known.get(feature.name, []))
        if before is not None:
            version = json.loads(before["features"])[feature.name]
            earlier.sort(key=lambda row: row["version"] == version)
            comparison = self._compared(feature, group, before)
        return version_row(
            feature, table=group.name, earlier=earlier, comparison=comparison, night=self.night
        )

    def _compared(
        self, feature: Feature, group: FeatureGroup, before: Mapping[str, Any]
    ) -> Comparison:
        """Compare a feature's values with those of the spell before."""
        query = comparison_query(
            feature.name,
            before=before["table_name"],
            version=before["last_snapshot"],
            now=group.name,
        )
        return Comparison(**self.writer.read(query).row(0, named=True))


def _versions_of(known: Mapping[str, Sequence[Mapping[str, Any]]], feature: str) -> set[str]:
    """Return the versions that a feature has had."""
    return {row["version"] for row in known.get(feature, [])}


def _in_force_before(
    feature: str, spells: Mapping[str, Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    """Return the spell that held a feature last; None where it is new or was taken out."""
    holding = [spell for spell in spells.values() if feature in json.loads(spell["features"])]
    return max(holding, key=lambda spell: spell["last_snapshot"], default=None)
