"""Maps inside the documents of the feature registry, in the backend's words."""

from typing import Annotated

from pydantic import Field

from pipelines.documents.base import DocumentPart
from pipelines.documents.values import Count, Instant, MapKey, Number, Probability

ParameterValue = str | int | Number | bool | list[str] | None


class FeatureTransformation(DocumentPart):
    """How a feature is computed."""

    transformation_type: str = Field(description="sql: the code is a DuckDB statement.")
    code: str = Field(description="The statement that computes it from the lake's clean_prices.")
    parameters: dict[MapKey, ParameterValue] = Field(
        description="formula, look_back_rows, unit, inputs, and version: the definition's hash."
    )


class FeatureValidation(DocumentPart):
    """A rule that the night holds a feature to."""

    rule_type: str = Field(description="range, unique_key or no_look_ahead.")
    parameters: dict[MapKey, ParameterValue] = Field(description="What the rule is told.")
    is_blocking: bool = Field(description="Whether a breach stops the night before it scores.")


class DistributionBin(DocumentPart):
    """One bar of a histogram; the outermost reach to the extremes."""

    lower: Number = Field(description="From here on.")
    upper: Number = Field(description="Up to here.")
    count: Count = Field(description="Values in between.")
    share: Probability = Field(description="Their share of all values.")


class FeatureStatistics(DocumentPart):
    """How the values of the last 252 sessions are spread."""

    mean: Number | None = Field(description="Arithmetic mean.")
    median: Number | None = Field(description="Half of the values lie below.")
    std: Number | None = Field(description="Sample standard deviation.")
    min: Number | None = Field(description="Least value.")
    max: Number | None = Field(description="Greatest value.")
    missing_ratio: Probability = Field(description="Share of rows without a value.")
    distribution: Annotated[tuple[DistributionBin, ...], Field(strict=False)] = Field(
        description="Histogram between the 1st and the 99th percentile."
    )
    calculated_at: Instant = Field(description="Instant of the night that measured.")
