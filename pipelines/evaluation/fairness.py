"""Results by groups as documents."""

from collections.abc import Iterator

from pipelines.documents.fairness_report import FairnessReport
from pipelines.evaluation.evaluation import ScenarioResult
from pipelines.evaluation.groups import ATTRIBUTES, GroupResult
from pipelines.lifecycle.versions import MODEL_NAME
from pipelines.nights import Night
from pipelines.validation.session_bootstrap import Estimate


def fairness_document(
    result: ScenarioResult, night: Night, *, largest_gap: float
) -> FairnessReport | None:
    """Make the document of a scenario's groups; None where nothing was measured."""
    if not result.groups:
        return None
    gaps = [abs(one.gap.value) for one in result.groups if one.gap]
    return FairnessReport(
        model_id=MODEL_NAME,
        protected_attributes=ATTRIBUTES,
        group_metrics={one.name: _figures(one) for one in result.groups},
        overall_fairness_score=1.0 - max(gaps, default=0.0),
        passed=not any(is_worse(one, largest_gap) for one in result.groups),
        recommendations=tuple(_recommendations(result.groups, largest_gap)),
        scenario_name=result.scenario.name,
        model_version=str(result.versions[-1]),
        market=night.market,
        session=night.session,
        night_id=night.night_id,
        largest_gap=largest_gap,
    )


def is_worse(found: GroupResult, largest_gap: float) -> bool:
    """Return whether a group is shown to be served worse than a person tolerates."""
    gap = found.gap
    return gap is not None and gap.upper < 0 and gap.value <= -largest_gap


def _figures(found: GroupResult) -> dict[str, float]:
    """Return the numbers of a group."""
    names = ("share_up", "called_up", "accuracy", "auc", "gap")
    measured: dict[str, Estimate | None] = {name: getattr(found, name) for name in names}
    figures = {"rows": float(found.rows), "symbols": float(found.symbols)}
    for name, value in measured.items():
        if value:
            figures |= {name: value.value, f"{name}_low": value.lower, f"{name}_high": value.upper}
    return figures


def _recommendations(groups: tuple[GroupResult, ...], largest_gap: float) -> Iterator[str]:
    """Yield what a person should know of groups, those that are worse first."""
    for one in groups:
        if is_worse(one, largest_gap):
            yield (
                f"{one.name}: right less often than the others by {one.gap}; hold its signals "
                "back, or look at its features and data before the next training."
            )
    for one in groups:
        if one.gap is None:
            yield f"{one.name}: {one.rows} signals, too few of it or of the others to compare."
        elif one.gap.lower <= -largest_gap and not is_worse(one, largest_gap):
            yield f"{one.name}: a gap of {largest_gap} is not excluded: {one.gap}; wait for more."
