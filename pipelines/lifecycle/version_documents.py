"""The registry's versions as documents: what each is, and when each scored live nights."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Literal

from pipelines.documents.deployment import Deployment
from pipelines.documents.model_version import (
    ApprovalItem,
    MetricSnapshot,
    ModelStage,
    ModelVersion,
)
from pipelines.lifecycle.versions import (
    CHALLENGER,
    CHAMPION,
    DESK,
    MODEL_NAME,
    SignalVersion,
    challenger_of,
    champion_of,
)

EXPERIMENT = "signals"
Status = Literal["pending", "passed", "failed"]
STATUS: Mapping[bool | None, Status] = {True: "passed", False: "failed", None: "pending"}


def version_documents(versions: Sequence[SignalVersion]) -> Iterator[ModelVersion]:
    """Make the document of every version of a market."""
    champion, challenger = champion_of(versions), challenger_of(versions)
    for one in versions:
        decision = one.decision
        is_promoted = one.serves_through is None and one.is_promoted
        yield ModelVersion(
            model_name=MODEL_NAME,
            version=str(one.number),
            run_id=one.run_id,
            stage=_stage(one, champion),
            approval_checklist=_checklist(one),
            metrics=_metrics(one),
            approved_by=DESK if is_promoted else None,
            approved_at=one.created_at if is_promoted else None,
            rollback_notes=_withdrawn(one),
            market=one.market,
            alias=CHAMPION if one == champion else CHALLENGER if one == challenger else None,
            verdict=decision.verdict.value if decision else None,
            reason=decision.reason if decision else None,
            trained_through=one.trained_through,
            serves_through=one.serves_through,
            data_hash=one.data_hash,
            features_version=one.features_version,
            code_version=one.code_version,
            lake_snapshot=one.lake_snapshot,
            night_id=one.night_id,
            challenged=str(decision.champion) if decision and decision.champion else None,
            alpha=decision.alpha if decision else None,
        )


def deployment_documents(versions: Sequence[SignalVersion]) -> Iterator[Deployment]:
    """Make a document for each version that was ever champion, in the order of their promotion.

    A version that was promoted for a night of the past scores that alone: it was champion only if
    none had seen more.
    """
    was_champion: list[SignalVersion] = []
    for one in versions:
        if one.serves_through is None and one.is_promoted:
            reigning = [held for held in was_champion if held.withdrawal is None]
            if all(held.age_order < one.age_order for held in reigning):
                was_champion.append(one)
    champion = champion_of(versions)
    for one, after in zip_longest(was_champion, was_champion[1:]):
        yield _deployment(one, after, champion)


def _deployment(
    one: SignalVersion, after: SignalVersion | None, champion: SignalVersion | None
) -> Deployment:
    """Make the document of one reign; `after` is the version that came next."""
    is_active, withdrawn = one == champion, one.withdrawal
    came_back = is_active and after is not None
    ended = None if is_active else after.created_at if after else None
    return Deployment(
        model_name=MODEL_NAME,
        model_version=str(one.number),
        experiment_name=EXPERIMENT,
        status="active" if is_active else "rollback" if withdrawn else "terminated",
        environment="production",
        health_status=_health(one, is_active=is_active),
        created_by=DESK,
        market=one.market,
        deployed_at=one.created_at,
        terminated_at=withdrawn.at if withdrawn else ended,
        rollback_from=str(after.number) if came_back and after else None,
        deployment_notes=one.decision.reason
        if one.decision
        else "registered before decisions were made",
        error_message=_withdrawn(one),
    )


def _stage(one: SignalVersion, champion: SignalVersion | None) -> ModelStage:
    """Return what a version does."""
    if one == champion:
        return ModelStage.PRODUCTION
    if not one.is_accepted:
        return ModelStage.ARCHIVED
    return ModelStage.STAGING if one.serves_through is None else ModelStage.EXPERIMENTAL


def _health(one: SignalVersion, *, is_active: bool) -> str:
    """Say in words how a version stands."""
    if is_active:
        return "scores tonight"
    return "withdrawn" if one.withdrawal else "stands by"


def _checklist(one: SignalVersion) -> tuple[ApprovalItem, ...]:
    """Return what was asked of a version before it could be promoted."""
    items = one.decision.checklist if one.decision else ()
    return tuple(
        ApprovalItem(
            name=item.name,
            status=STATUS[item.passed],
            note=item.note,
            completed_at=None if item.passed is None else one.created_at,
        )
        for item in items
    )


def _metrics(one: SignalVersion) -> tuple[MetricSnapshot, ...]:
    """Return what the challenge measured; nothing where there was none."""
    found = one.decision.comparison if one.decision else None
    if found is None:
        return ()
    dataset = f"{found.rows} rows of {found.sessions} sessions that neither model had seen"
    figures = {
        "log_loss_gain": found.gain,
        "p_value": found.p_value,
        "seed_error": found.seed_error,
    }
    if slope := found.calibration_slope:
        figures |= {
            "calibration_slope": slope.value,
            "calibration_slope_lower": slope.lower,
            "calibration_slope_upper": slope.upper,
        }
    return tuple(
        MetricSnapshot(metric_name=name, value=value, dataset=dataset)
        for name, value in figures.items()
    )


def _withdrawn(one: SignalVersion) -> str | None:
    """Say who withdrew a version, when, for what and why."""
    if one.withdrawal is None:
        return None
    taken = one.withdrawal
    successor = "saying nothing" if taken.in_favour_of is None else f"version {taken.in_favour_of}"
    return (
        f"withdrawn by {taken.by} on {taken.at:%Y-%m-%d %H:%M} UTC in favour of {successor}: "
        f"{taken.reason}"
    )
