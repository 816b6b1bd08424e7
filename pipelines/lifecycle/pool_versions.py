"""Pools of forecasting models as versions: each with its newest checklist, and those that reigned.

A version's documents tell the newest decision about it; the lake's `pool_decisions` keeps all.
"""

from collections.abc import Iterator
from itertools import zip_longest

from pipelines.documents.deployment import Deployment
from pipelines.documents.model_version import (
    ApprovalItem,
    MetricSnapshot,
    ModelStage,
    ModelVersion,
)
from pipelines.forecasts.pool_history import JudgedPool, PoolHistory
from pipelines.lifecycle.version_documents import STATUS
from pipelines.lifecycle.versions import CHALLENGER, CHAMPION, DESK

MODEL_NAME, EXPERIMENT = "forecast", "forecasts"
NO_RUN = "none"
"""Nothing is trained in MLflow: fits and evaluations are the lake's."""


def pool_version_documents(history: PoolHistory, *, market: str) -> Iterator[ModelVersion]:
    """Make the document of every pool that was ever judged, of the newest decision about it."""
    newest = {one.version: one for one in history.decisions}
    promoted = {one.version: one for one in history.decisions if one.decision.verdict.promotes}
    champion = history.reigning()
    last = history.decisions[-1] if history.decisions else None
    for version, one in newest.items():
        reigned = promoted.get(version)
        is_champion = champion is not None and version == champion.version
        is_challenger = one is last and not one.decision.verdict.promotes
        yield ModelVersion(
            model_name=MODEL_NAME,
            version=version,
            run_id=NO_RUN,
            stage=_stage(reigned, is_champion=is_champion),
            approval_checklist=_checklist(one),
            metrics=_metrics(one),
            approved_by=DESK if reigned else None,
            approved_at=reigned.decided_at if reigned else None,
            rollback_notes=one.withdrawn,
            market=market,
            alias=CHAMPION if is_champion else CHALLENGER if is_challenger else None,
            verdict=one.decision.verdict.value,
            reason=one.decision.reason,
            trained_through=one.session,
            serves_through=None,
            data_hash=one.row["data_hash"],
            features_version=f"models: {', '.join(one.definition.models)}",
            code_version=one.row["code_version"],
            lake_snapshot=one.row["lake_snapshot"],
            night_id=one.row["night_id"],
            challenged=one.decision.champion,
            alpha=one.decision.alpha,
        )


def pool_deployment_documents(history: PoolHistory, *, market: str) -> Iterator[Deployment]:
    """Make a document for each pool that was ever promoted, of its newest reign."""
    promoted = {one.version: one for one in history.decisions if one.decision.verdict.promotes}
    reigned = sorted(promoted.values(), key=lambda one: one.decided_at)
    champion = history.reigning()
    for one, after in zip_longest(reigned, reigned[1:]):
        is_active = champion is not None and one.version == champion.version
        ended = None if is_active else after.decided_at if after else None
        yield Deployment(
            model_name=MODEL_NAME,
            model_version=one.version,
            experiment_name=EXPERIMENT,
            status="active" if is_active else "rollback" if one.withdrawn else "terminated",
            environment="production",
            health_status="forecasts tonight" if is_active else "forecast nights of its time",
            created_by=DESK,
            market=market,
            deployed_at=one.decided_at,
            terminated_at=one.row["withdrawn_at"] if one.withdrawn else ended,
            rollback_from=after.version if is_active and after else None,
            deployment_notes=one.decision.reason,
            error_message=one.withdrawn,
        )


def _stage(reigned: JudgedPool | None, *, is_champion: bool) -> ModelStage:
    """Return what a version does: one that reigned before stands by for a rollback."""
    if is_champion:
        return ModelStage.PRODUCTION
    return ModelStage.STAGING if reigned and reigned.may_reign else ModelStage.ARCHIVED


def _checklist(one: JudgedPool) -> tuple[ApprovalItem, ...]:
    """Return what was asked of a pool."""
    return tuple(
        ApprovalItem(
            name=item.name,
            status=STATUS[item.passed],
            note=item.note,
            completed_at=None if item.passed is None else one.decided_at,
        )
        for item in one.decision.checklist
    )


def _metrics(one: JudgedPool) -> tuple[MetricSnapshot, ...]:
    """Return what the challenge measured."""
    found = one.decision.comparison
    if found is None:
        return ()
    figures = {"crps_gain": found.gain, "p_value": found.p_value}
    for part in found.coverage:
        figures |= {
            f"coverage_90_horizon_{part.horizon}": part.share,
            f"coverage_90_horizon_{part.horizon}_lower": part.low,
            f"coverage_90_horizon_{part.horizon}_upper": part.high,
        }
    dataset = f"rolling origins of {found.sessions} sessions, {found.portfolios} portfolios"
    return tuple(
        MetricSnapshot(metric_name=name, value=value, dataset=dataset)
        for name, value in figures.items()
    )
