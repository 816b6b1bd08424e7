"""What a feature and a group of features are."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from pipelines.features.expressions import Expression
from pipelines.features.inputs import reads_market, reads_market_regime

FRACTION = "fraction"
RATIO = "ratio"


@dataclass(frozen=True)
class Feature:
    """One column of a feature table.

    Attributes:
        name: the column.
        expression: its formula, from which SQL, look-back and version follow.
        unit: what a value counts.
        description: one line for a reader who knows markets but not this code.
        source: author or paper of the idea.
        bounds: least and greatest possible value, None where there is no bound.
    """

    name: str
    expression: Expression
    unit: str
    description: str
    source: str
    bounds: tuple[float | None, float | None] = (None, None)


@dataclass(frozen=True)
class FeatureGroup:
    """The features of one table, keyed by (symbol, session)."""

    name: str
    description: str
    features: tuple[Feature, ...]

    def __post_init__(self) -> None:
        names = [feature.name for feature in self.features]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated or not names:
            message = (
                f"feature group {self.name!r} needs features with names of their own:"
                f" {', '.join(repeated) if repeated else 'none given'}"
            )
            raise ValueError(message)

    @property
    def expressions(self) -> dict[str, Expression]:
        """Return the expressions by column name, in the table's order."""
        return {feature.name: feature.expression for feature in self.features}

    @property
    def look_back(self) -> int:
        """Return how many earlier rows of a symbol the group needs for one row."""
        return max(feature.expression.look_back for feature in self.features)

    @property
    def is_session_wide(self) -> bool:
        """Return whether any feature compares the symbols of a session."""
        return any(feature.expression.is_session_wide for feature in self.features)

    @property
    def reads_other_symbols(self) -> bool:
        """Return whether a change of one symbol may move the values of others."""
        is_of_market = reads_market(self.inputs) or reads_market_regime(self.inputs)
        return self.is_session_wide or is_of_market

    @property
    def inputs(self) -> frozenset[str]:
        """Return the names of the leaves that the features read."""
        return frozenset().union(*(feature.expression.inputs for feature in self.features))

    @property
    def version(self) -> str:
        """Return a hash of the names and versions of the features: equal ones mean equal values."""
        parts = [f"{feature.name}={feature.expression.version}" for feature in self.features]
        return _hashed(parts)


def feature_names(groups: Iterable[FeatureGroup]) -> list[str]:
    """Return the names of all features, in the order of the groups."""
    return [name for group in groups for name in group.expressions]


def dispensable_features(groups: Iterable[FeatureGroup], *, sessions: int) -> list[str]:
    """Return the features that a symbol `sessions` old, or the only one of its session, may lack.

    These are the features that look further back, and those that compare symbols.
    """
    features = (feature for group in groups for feature in group.features)
    return [
        feature.name
        for feature in features
        if feature.expression.look_back >= sessions or feature.expression.is_session_wide
    ]


def longest_look_back(groups: Iterable[FeatureGroup]) -> int:
    """Return how many earlier rows of a symbol the features of one row need."""
    return max(group.look_back for group in groups)


def features_version(groups: Iterable[FeatureGroup]) -> str:
    """Return a hash of all groups: equal ones mean equal values of equal names."""
    return _hashed(f"{group.name}={group.version}" for group in groups)


def _hashed(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
