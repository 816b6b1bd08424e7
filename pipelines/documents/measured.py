"""A measured figure as documents show it."""

from pydantic import Field

from pipelines.documents.base import DocumentPart
from pipelines.documents.values import Number


class MeasuredValue(DocumentPart):
    """A measured figure with the interval that its sampling error leaves open."""

    estimate: Number = Field(description="The figure itself.")
    low: Number = Field(description="Lower end of the 95 % interval.")
    high: Number = Field(description="Upper end of the 95 % interval.")
