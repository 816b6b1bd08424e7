"""Whether stored features lie where their formulas allow, and how they are spread."""

import polars as pl

from pipelines.features.groups import Feature, FeatureGroup

FLOAT_TOLERANCE = 1e-5
"""Relative room at a bound: values are stored as 32-bit floats of about seven digits."""


def out_of_bounds(group: FeatureGroup, statistics: pl.DataFrame) -> list[str]:
    """Return a sentence for each feature whose stored extremes its formula can't give.

    Args:
        group: The features, with their bounds.
        statistics: One row a feature, with `minimum` and `maximum`; null where nothing is stored.
    """
    extremes = {row["feature"]: row for row in statistics.iter_rows(named=True)}
    faults = []
    for feature in group.features:
        row = extremes.get(feature.name)
        if row is None or row["minimum"] is None:
            continue
        if not _is_allowed(feature, row["minimum"], row["maximum"]):
            faults.append(
                f"{feature.name} reaches from {row['minimum']:g} to {row['maximum']:g}, "
                f"its formula from {feature.bounds[0]} to {feature.bounds[1]}"
            )
    return faults


def statistics_table(statistics: pl.DataFrame) -> str:
    """Return the spread of each feature as a Markdown table."""
    columns = ("null_share", "mean", "std", "minimum", "q05", "q50", "q95", "maximum")
    lines = [
        f"| {row['feature']} | " + " | ".join(_number(row[name]) for name in columns) + " |"
        for row in statistics.iter_rows(named=True)
    ]
    head = ["| feature | " + " | ".join(columns) + " |", "| --- |" + " ---: |" * len(columns)]
    return "\n".join([*head, *lines])


def _is_allowed(feature: Feature, minimum: float, maximum: float) -> bool:
    """Tell whether stored extremes lie within a feature's bounds."""
    low, high = feature.bounds
    is_low_enough = low is None or minimum >= low - FLOAT_TOLERANCE * max(1.0, abs(low))
    is_high_enough = high is None or maximum <= high + FLOAT_TOLERANCE * max(1.0, abs(high))
    return is_low_enough and is_high_enough


def _number(value: float | None) -> str:
    """Return a number in four digits, a dash for none."""
    return "–" if value is None else f"{value:.4g}"
