"""What a feature is made from, and which features are made from it, read from expression trees."""

from collections.abc import Iterable, Iterator

from pipelines.features.expressions import Column, Constant, Expression
from pipelines.features.groups import Feature, FeatureGroup
from pipelines.features.inputs import LEAVES, SOURCES


def source_columns(feature: Feature) -> list[tuple[str, str]]:
    """Return the tables and columns that a feature reads, in alphabetical order."""
    read = (LEAVES[name].columns for name in feature.expression.inputs)
    return sorted({(SOURCES[row], column) for columns in read for row, column in columns})


def feature_lineage(groups: Iterable[FeatureGroup]) -> dict[str, tuple[list[str], list[str]]]:
    """Return by feature those it contains and those that contain it.

    A feature is upstream of another where its whole formula is a part of the other's: what moves
    it moves the other.
    """
    features = [feature for group in groups for feature in group.features]
    named: dict[Expression, str] = {one.expression: one.name for one in features}
    upstream = {
        one.name: sorted({named[part] for part in _parts(one.expression) if part in named})
        for one in features
    }
    downstream: dict[str, list[str]] = {one.name: [] for one in features}
    for name, parts in upstream.items():
        for part in parts:
            downstream[part].append(name)
    return {name: (upstream[name], sorted(downstream[name])) for name in upstream}


def _parts(tree: Expression) -> Iterator[Expression]:
    """Yield every node below the root that computes something."""
    for operand in tree.operands:
        if not isinstance(operand, Column | Constant):
            yield operand
        yield from _parts(operand)
