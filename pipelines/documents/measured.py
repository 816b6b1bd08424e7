"""A measured figure as documents show it."""

from pydantic import Field

from pipelines.documents.base import DocumentPart
from pipelines.documents.values import Number
from pipelines.validation.session_bootstrap import Estimate


class MeasuredValue(DocumentPart):
    """A measured figure with the interval that its sampling error leaves open."""

    estimate: Number = Field(description="The figure itself.")
    low: Number = Field(description="Lower end of the 95 % interval.")
    high: Number = Field(description="Upper end of the 95 % interval.")


def measured(figure: Estimate | None) -> MeasuredValue | None:
    """Return a figure with its interval; None where it was not measurable."""
    if figure is None:
        return None
    return MeasuredValue(estimate=figure.value, low=figure.lower, high=figure.upper)
