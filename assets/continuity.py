"""Checks that tonight's features go on as those before, made before anything is scored."""

import dagster as dg

from pipelines.features.catalogue import SIGNAL_GROUPS
from pipelines.features.continuity import continuity_query, discontinuities
from pipelines.features.groups import FeatureGroup
from resources.lake import Lake


def _continuity_check(group: FeatureGroup) -> dg.AssetChecksDefinition:
    """Return the check that stops a night one of whose features is frozen or in another unit."""

    @dg.asset_check(
        name=f"{group.name}_move_as_before",
        asset=group.name,
        blocking=True,
        description="No feature keeps its value to the bit for most symbols that seldom did, or is "
        "thirty times larger or smaller than in the quarter before. Where one is, the night stops "
        "before it scores.",
    )
    def move_as_before(lake: Lake) -> dg.AssetCheckResult:
        found = discontinuities(lake.read(continuity_query(group, table=group.name)))
        return dg.AssetCheckResult(
            passed=not found,
            metadata={one.feature: one.fault for one in found} or {"discontinuities": "none"},
        )

    return move_as_before


CONTINUITY_CHECKS = [_continuity_check(group) for group in SIGNAL_GROUPS]
