"""What becomes of a feature's version when its definition changes: number, words, breaking or not.

The version itself is a hash (`Expression.version`). Whether a change breaks is not judged by its
looks: the values before and after it are compared, row by row.
"""

from dataclasses import dataclass
from typing import Any

import polars as pl

from pipelines.features.engine import feature_query
from pipelines.features.groups import Feature, FeatureGroup
from pipelines.features.version_tables import FEATURE_VERSIONS
from pipelines.nights import Night
from pipelines.tables import CLEAN_PRICES

FIRST_NUMBER = "1.0.0"
SAME_WITHIN = 1e-6
"""Values closer than this, in standard deviations of the feature, count as the same: a FLOAT has
seven digits, and a reworded sum gives other last ones."""


@dataclass(frozen=True)
class Comparison:
    """How the values of a feature before and after a change differ, on the rows that both have."""

    rows: int
    differing: int
    largest: float | None
    other_nulls: int

    @property
    def is_breaking(self) -> bool:
        """Return whether a model of the values before would be misled by those after."""
        is_apart = self.largest is not None and self.largest > SAME_WITHIN
        return self.rows == 0 or self.other_nulls > 0 or is_apart

    @property
    def words(self) -> str:
        """Say it in a sentence."""
        if self.rows == 0:
            return "No row was there to compare."
        if self.differing == 0:
            return f"None of {self.rows:,} values differs."
        share = f"{self.differing / self.rows:.1%} of {self.rows:,} values differ"
        apart = f", by up to {self.largest:.2g} standard deviations" if self.largest else ""
        nulls = f"; {self.other_nulls:,} are null where they were not, or the other way round"
        return f"{share}{apart}{nulls if self.other_nulls else ''}."


def comparison_query(feature: str, *, before: str, version: int, now: str) -> str:
    """Return SQL for the fields of a `Comparison`.

    Args:
        feature: The column.
        before: The table that held the values before.
        version: The lake version to read it at.
        now: The table that holds them now.
    """
    return f"""
        SELECT count(*) AS rows,
               count(*) FILTER (old_value IS DISTINCT FROM new_value) AS differing,
               max(abs(new_value - old_value)) / nullif(stddev_samp(old_value), 0) AS largest,
               count(*) FILTER ((old_value IS NULL) <> (new_value IS NULL)) AS other_nulls
        FROM (SELECT symbol, session, {feature} AS old_value
              FROM {before} AT (VERSION => {version}))
        JOIN (SELECT symbol, session, {feature} AS new_value FROM {now}) USING (symbol, session)"""


def feature_sql(feature: Feature) -> str:
    """Return the statement that computes one feature from clean prices, whole."""
    alone = FeatureGroup(feature.name, feature.description, (feature,))
    return feature_query(alone, source=CLEAN_PRICES.name)


def version_row(
    feature: Feature,
    *,
    table: str,
    earlier: list[dict[str, Any]],
    comparison: Comparison | None,
    night: Night,
) -> dict[str, Any]:
    """Return the row of `feature_versions` of a version that was not there before.

    Args:
        feature: The feature as it is defined now.
        table: The table that holds it.
        earlier: Rows of its earlier versions, the one in force before last.
        comparison: How its values differ from those in force before; None where none were.
        night: The night that derived it first.
    """
    tree = feature.expression
    is_breaking = bool(earlier) and (comparison is None or comparison.is_breaking)
    return {
        "feature": feature.name,
        "version": tree.version,
        "number": _number_after(earlier, is_breaking=is_breaking),
        "table_name": table,
        "formula": tree.text,
        "sql": feature_sql(feature),
        "look_back": tree.look_back,
        "unit": feature.unit,
        "description": feature.description,
        "lowest": feature.bounds[0],
        "highest": feature.bounds[1],
        "changelog": _changelog(feature, earlier, comparison),
        "is_breaking": is_breaking,
        "night_id": night.night_id,
        "known_at": night.as_of,
    }


def version_frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Return rows of `feature_versions` as a frame in the table's types."""
    kinds: dict[str, pl.DataType] = {
        "INTEGER": pl.Int32(),
        "DOUBLE": pl.Float64(),
        "BOOLEAN": pl.Boolean(),
        "TIMESTAMPTZ": pl.Datetime("us", "UTC"),
        "VARCHAR": pl.String(),
    }
    schema = {column.name: kinds[column.type] for column in FEATURE_VERSIONS.columns}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _number_after(earlier: list[dict[str, Any]], *, is_breaking: bool) -> str:
    """Return the next number: the first place counts breaking changes, the second the others."""
    if not earlier:
        return FIRST_NUMBER
    first, second, _ = max(tuple(map(int, row["number"].split("."))) for row in earlier)
    return f"{first + 1}.0.0" if is_breaking else f"{first}.{second + 1}.0"


def _changelog(
    feature: Feature, earlier: list[dict[str, Any]], comparison: Comparison | None
) -> str:
    """Say what changed since the version in force before."""
    formula = feature.expression.text
    if not earlier:
        return f"First version: {formula}."
    before = earlier[-1]["formula"]
    change = (
        f"{before} became {formula}."
        if before != formula
        else f"The formula is the same, {formula}; an operator or input is defined otherwise."
    )
    return f"{change} {comparison.words if comparison else 'It had been taken out.'}"
