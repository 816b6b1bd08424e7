"""What is expected of features: each lies where its own formula can reach."""

from collections.abc import Mapping

from pipelines.expectations.rules import Expectation, OneRowEach, Suite, Within
from pipelines.features.catalogue import GROUPS
from pipelines.features.groups import Feature, FeatureGroup
from pipelines.features.ranges import FLOAT_TOLERANCE
from pipelines.tables import FEATURE_TABLES


def _suite_of(group: FeatureGroup) -> Suite:
    """Return what is expected of a group's table."""
    table = FEATURE_TABLES[group.name]
    bounds = (_within(feature) for feature in group.features if feature.bounds != (None, None))
    expectations: tuple[Expectation, ...] = (OneRowEach(table.key), *bounds)
    return Suite(table, expectations)


def _within(feature: Feature) -> Within:
    """Return a feature's bounds, with the room that 32-bit floats need."""
    low, high = feature.bounds
    return Within(
        feature.name,
        None if low is None else low - FLOAT_TOLERANCE * max(1.0, abs(low)),
        None if high is None else high + FLOAT_TOLERANCE * max(1.0, abs(high)),
    )


FEATURE_SUITES: Mapping[str, Suite] = {group.name: _suite_of(group) for group in GROUPS}
"""The suite of each group of features, by the group's name."""
