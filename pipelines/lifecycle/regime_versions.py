"""Regime fits as versions of models: each with its checklist, and those that reigned."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from typing import Any, Self

import polars as pl

from pipelines.documents.deployment import Deployment
from pipelines.documents.model_version import (
    ApprovalItem,
    MetricSnapshot,
    ModelStage,
    ModelVersion,
)
from pipelines.lifecycle.version_documents import STATUS
from pipelines.lifecycle.versions import CHALLENGER, CHAMPION, DESK
from pipelines.regimes.fits import RegimeFit

MODEL_NAME, EXPERIMENT = "regime", "regimes"
NOT_KEPT = "unknown"
"""Of fits from before it was kept."""

REGIME_VERSIONS_QUERY = """
    SELECT regime_fits.*, withdrawn_at, withdrawn_by, reason, in_favour_of
    FROM regime_fits LEFT JOIN regime_withdrawals USING (applies_from, recipe)
    WHERE made_at <= $as_of ORDER BY made_at, applies_from, recipe
"""


@dataclass(frozen=True, eq=False)
class RegimeVersion:
    """A fit, and its row: how it came to be, and what became of it.

    Rows of an older lake lack columns that came later.
    """

    fit: RegimeFit
    row: Mapping[str, Any]

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """Return the version of a row of `REGIME_VERSIONS_QUERY`."""
        return cls(RegimeFit.from_document(json.loads(row["body"])), row)

    @property
    def made_at(self) -> datetime:
        """The instant of the night that made it."""
        made_at: datetime = self.row["made_at"]
        return made_at

    @property
    def withdrawn(self) -> str | None:
        """Who took it back, when, for what and why; None if nobody did."""
        if self.row["withdrawn_at"] is None:
            return None
        return (
            f"withdrawn by {self.row['withdrawn_by']} on {self.row['withdrawn_at']:%Y-%m-%d %H:%M} "
            f"UTC in favour of the fit of {self.row['in_favour_of']}: {self.row['reason']}"
        )

    @property
    def may_tell(self) -> bool:
        """Whether nights may be told by it."""
        return self.fit.is_promoted and self.withdrawn is None


def regime_versions(rows: pl.DataFrame) -> list[RegimeVersion]:
    """Return the versions of rows of `REGIME_VERSIONS_QUERY`."""
    return [RegimeVersion.of(row) for row in rows.iter_rows(named=True)]


def reigning(versions: Sequence[RegimeVersion], recipe: str) -> RegimeVersion | None:
    """Return the version that tells of tonight; None before the first fit of a recipe."""
    able = [one for one in versions if one.may_tell and one.fit.recipe == recipe]
    return max(able, key=lambda one: one.fit.applies_from, default=None)


def challenging(versions: Sequence[RegimeVersion], recipe: str) -> RegimeVersion | None:
    """Return the newest fit of a recipe where it was judged and not promoted."""
    fits = [one for one in versions if one.fit.recipe == recipe]
    newest = max(fits, key=lambda one: one.fit.applies_from, default=None)
    return None if newest is None or newest.fit.is_promoted else newest


def regime_version_documents(
    versions: Sequence[RegimeVersion], *, market: str, recipe: str
) -> Iterator[ModelVersion]:
    """Make the document of every fit of a market; `recipe` is the one in use."""
    champion, challenger = reigning(versions, recipe), challenging(versions, recipe)
    for one in versions:
        decision, is_promoted = one.fit.decision, one.fit.is_promoted
        yield ModelVersion(
            model_name=MODEL_NAME,
            version=one.fit.version,
            run_id=one.row.get("run_id") or NOT_KEPT,
            stage=_stage(one, champion),
            approval_checklist=_checklist(one),
            metrics=_metrics(one.fit),
            approved_by=DESK if is_promoted else None,
            approved_at=one.made_at if is_promoted else None,
            rollback_notes=one.withdrawn,
            market=market,
            alias=CHAMPION if one is champion else CHALLENGER if one is challenger else None,
            verdict=decision.verdict.value if decision else None,
            reason=decision.reason if decision else None,
            trained_through=one.fit.model.fitted_through,
            serves_through=None,
            data_hash=one.fit.data_hash or NOT_KEPT,
            features_version=one.fit.recipe,
            code_version=one.row.get("code_version"),
            lake_snapshot=one.row.get("lake_snapshot"),
            night_id=one.row["night_id"],
            challenged=f"{decision.champion}-{one.fit.recipe}"
            if decision and decision.champion
            else None,
            alpha=None,
        )


def regime_deployment_documents(
    versions: Sequence[RegimeVersion], *, market: str, recipe: str
) -> Iterator[Deployment]:
    """Make a document for each fit that was ever promoted, in the order of their reigns."""
    champion = reigning(versions, recipe)
    reigned = [one for one in versions if one.fit.is_promoted]
    for one, after in zip_longest(reigned, reigned[1:]):
        is_active, withdrawn = one is champion, one.withdrawn
        ended = None if is_active else after.made_at if after else None
        yield Deployment(
            model_name=MODEL_NAME,
            model_version=one.fit.version,
            experiment_name=EXPERIMENT,
            status="active" if is_active else "rollback" if withdrawn else "terminated",
            environment="production",
            health_status="tells of tonight" if is_active else "tells of sessions of its time",
            created_by=DESK,
            market=market,
            deployed_at=one.made_at,
            terminated_at=one.row["withdrawn_at"] if withdrawn else ended,
            rollback_from=after.fit.version if is_active and after else None,
            deployment_notes=one.fit.verdict,
            error_message=withdrawn,
        )


def _stage(one: RegimeVersion, champion: RegimeVersion | None) -> ModelStage:
    """Return what a version does; older fits go on telling of the sessions of their time."""
    if one is champion:
        return ModelStage.PRODUCTION
    return ModelStage.STAGING if one.may_tell else ModelStage.ARCHIVED


def _checklist(one: RegimeVersion) -> tuple[ApprovalItem, ...]:
    """Return what was asked of a fit before it could be promoted."""
    items = one.fit.decision.checklist if one.fit.decision else ()
    return tuple(
        ApprovalItem(
            name=item.name,
            status=STATUS[item.passed],
            note=item.note,
            completed_at=None if item.passed is None else one.made_at,
        )
        for item in items
    )


def _metrics(fit: RegimeFit) -> tuple[MetricSnapshot, ...]:
    """Return what the choice of the candidate and the challenge measured."""
    held_out = "the candidate's fits of years ago, on the sessions after each"
    figures: list[tuple[str, float, str]] = [("log_score", fit.standing.score, held_out)]
    if fit.decision and (found := fit.decision.comparison):
        unseen = f"{found.sessions} sessions that neither fit had seen"
        share, low, high = found.coverage
        figures += [
            ("log_score_gain", found.gain, unseen),
            ("p_value", found.p_value, unseen),
            ("coverage_90", share, unseen),
            ("coverage_90_lower", low, unseen),
            ("coverage_90_upper", high, unseen),
            ("switches_per_year", found.switches_per_year, unseen),
        ]
    return tuple(
        MetricSnapshot(metric_name=name, value=value, dataset=dataset)
        for name, value, dataset in figures
    )
