"""Figures with their intervals, as documents show them."""

from pipelines.documents.measured import MeasuredValue
from pipelines.validation.session_bootstrap import Estimate


def measured(found: Estimate | None) -> MeasuredValue | None:
    """Return a figure with its interval, None where it was not measurable."""
    if found is None:
        return None
    return MeasuredValue(estimate=found.value, low=found.lower, high=found.upper)
