"""The text of `docs/features.md`, made from the catalogue."""

from collections.abc import Iterable

from pipelines.features.groups import Feature, FeatureGroup
from pipelines.features.inputs import LEAVES

_HEAD = """# Features

Generated from the groups in `pipelines/features/catalogue.py`: change them there. Windows count
rows of the symbol, the current one included. A value at session t reads rows at or before t; a
window is null until all its rows have a value; division by zero is null. A version changes when the
values may.

`ema(x, n)` and `wilder(x, n)` are means whose weights fall by 1 - 2 / (n + 1) and 1 - 1 / n from
row to row. The weights end where those left out are under 1e-4 of all (64 rows for a span of 12,
128 for 26 and for Wilder's 14), at the latest after 400 rows, and are scaled to add up to one: a
value does not depend on where the series began. `rank(x)` is the place among the symbols of the
session, from 0 to 1, equal values sharing theirs; `session_mean(x)` is their mean. Both are null
for fewer than two symbols. Regimes are null after sessions of which no night has told.

## Inputs

| input | unit | meaning | over `clean_prices AS bar` and what is joined to it |
| --- | --- | --- | --- |
"""


def features_document(groups: Iterable[FeatureGroup]) -> str:
    """Return the Markdown page: the inputs, then each group with its features."""
    inputs = "".join(
        f"| {leaf.name} | {leaf.unit} | {leaf.description} | `{leaf.sql}` |\n"
        for leaf in LEAVES.values()
    )
    return _HEAD + inputs + "".join(_group_section(group) for group in groups)


def _group_section(group: FeatureGroup) -> str:
    heading = f"\n## {group.name}\n\n{group.description} Look-back: {group.look_back} rows.\n"
    return heading + "".join(_feature_section(feature) for feature in group.features)


def _feature_section(feature: Feature) -> str:
    tree = feature.expression
    facts = (
        f"unit: {feature.unit}",
        f"range: {_range(feature)}",
        f"look-back: {tree.look_back} rows",
        f"inputs: {', '.join(sorted(tree.inputs))}",
        f"version: `{tree.version}`",
        f"source: {feature.source}",
    )
    listed = "\n".join(f"- {fact}" for fact in facts)
    return f"\n### {feature.name}\n\n{feature.description}\n\n    {tree.text}\n\n{listed}\n"


def _range(feature: Feature) -> str:
    lowest, highest = feature.bounds
    return (
        f"{'no lower bound' if lowest is None else f'{lowest:.4g}'} to"
        f" {'no upper bound' if highest is None else f'{highest:.4g}'}"
    )
