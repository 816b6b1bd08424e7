"""A formula of Alpha158 over several windows, and the groups that such families make."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipelines.features.expressions import Expression
from pipelines.features.groups import Feature, FeatureGroup

WINDOWS = (5, 10, 20, 30, 60)

QLIB = "Yang et al. (2020), Qlib: An AI-oriented Quantitative Investment Platform, Alpha158"

TINY = 1e-12
"""What Qlib adds to a divisor that may be zero."""

Bounds = tuple[float | None, float | None]


@dataclass(frozen=True)
class Family:
    """One formula of Alpha158, which is a feature for each of its windows.

    Attributes:
        name: Qlib's name, in lower case; the window is put behind it.
        formula: The expression over a number of rows.
        unit: What a value counts.
        description: One line, to be read with "over n sessions" behind it.
        bounds: Least and greatest possible value, whatever the window.
    """

    name: str
    formula: Callable[[int], Expression]
    unit: str
    description: str
    bounds: Bounds = (None, None)

    def features(self) -> tuple[Feature, ...]:
        """Return the family's features, the shortest window first."""
        return tuple(
            Feature(
                name=f"{self.name}{rows}",
                expression=self.formula(rows),
                unit=self.unit,
                description=f"{self.description} over {rows} sessions.",
                source=QLIB,
                bounds=self.bounds,
            )
            for rows in WINDOWS
        )


def group_of(name: str, description: str, families: Sequence[Family]) -> FeatureGroup:
    """Return the group of some families."""
    features = tuple(feature for family in families for feature in family.features())
    return FeatureGroup(name, description, features)
