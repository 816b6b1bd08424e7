"""Judging pools of forecasting models: the first by default, another one against what reigns."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256

import polars as pl

from pipelines.forecasts.evaluation import PUBLISHED
from pipelines.forecasts.pool_canaries import pool_canaries
from pipelines.forecasts.pool_challenge import Walk, compare_pools
from pipelines.forecasts.pool_definition import PoolDefinition
from pipelines.forecasts.pool_history import CHALLENGE_EVERY, JudgedPool, PoolHistory
from pipelines.forecasts.pool_promotion import PoolDecision, decide, first_decision, succession
from pipelines.forecasts.portfolios import Portfolio
from pipelines.forecasts.tables import POOL_DECISIONS
from pipelines.lifecycle.evidence import Canary
from pipelines.lifecycle.promotion import alpha_to_spend
from pipelines.nights import Night
from resources.portfolio_cases import BATCH, Case
from resources.portfolio_forecasting import PortfolioForecasting
from resources.provenance import code_version
from resources.settings import PROJECT_ROOT

MOST_PORTFOLIOS = BATCH
"""Portfolios that a challenge is fought on: the walk of a new pool takes seconds for each."""


@dataclass(frozen=True)
class PoolJudge:
    """Judges the configured pool in one night, and keeps what was decided."""

    forecasting: PortfolioForecasting
    night: Night
    progress: Callable[[str], None]

    def judge(self) -> PoolDecision | None:
        """Decide about the configured pool where it is due; return what was decided."""
        history, configured = self.forecasting.history(), self.forecasting.configured
        if not history.challenger_due(configured, self.night.session):
            return None
        reigning = history.reigning()
        if reigning is None:
            decision = first_decision(self._canaries(configured))
        elif why := reigning.definition.unavailable:
            canaries = self._canaries(configured)
            decision = succession(canaries, champion=reigning.version, why=why)
        elif self._is_soon(history.named(configured.version)):
            return None
        else:
            decision = self._challenge(configured, reigning, history)
        self._keep(configured, decision)
        self.progress(f"pool {configured.version}: {decision.verdict}, {decision.reason}")
        return decision

    @staticmethod
    def _canaries(pool: PoolDefinition) -> tuple[Canary, ...]:
        """Return what the controls say of a pool that is compared with nothing."""
        return pool_canaries(pool.members(), pool.settings)

    def _challenge(
        self, pool: PoolDefinition, reigning: JudgedPool, history: PoolHistory
    ) -> PoolDecision:
        """Return the decision about a pool beside the reigning one."""
        for one in (reigning.definition, pool):
            self.forecasting.evaluate(
                night=self.night, progress=self.progress, pool=one, portfolios=self._portfolios()
            )
        old, new = self._cases(reigning.definition), self._cases(pool)
        known = {case.portfolio.portfolio_id: case.evaluations for case in new}
        canaries = pool_canaries(pool.members(), pool.settings, known)
        walks = [
            Walk(ours.curve.sessions, theirs.evaluations, ours.evaluations)
            for theirs, ours in zip(old, new, strict=True)
        ]
        is_sound = all(one.passed for one in canaries)
        return decide(
            canaries,
            compare_pools(walks) if is_sound else None,
            champion=reigning.version,
            alpha=alpha_to_spend(self._since(history.spent_at)),
        )

    def _portfolios(self) -> Sequence[Portfolio]:
        """Return some portfolios, by chance but the same ones on any night."""
        landed = self.forecasting.portfolios.landed()
        return sorted(landed, key=lambda one: one.definition_hash)[:MOST_PORTFOLIOS]

    def _cases(self, pool: PoolDefinition) -> list[Case]:
        """Return these as a pool sees them; those that can't be forecast are left out."""
        cases = self.forecasting.cases(pool).of(self._portfolios(), self.night.session)
        return [case for _, case in cases if isinstance(case, Case)]

    def _is_soon(self, before: Sequence[JudgedPool]) -> bool:
        """Return whether a pool was judged less than a quarter ago."""
        return bool(before) and self._since(before[-1].session) < CHALLENGE_EVERY

    def _since(self, session: date | None) -> int:
        """Return how many sessions have come since one."""
        if session is None:
            return 0
        calendar = self.forecasting.portfolios.market.calendar
        return len(calendar.sessions(session, self.night.session)) - 1

    def _keep(self, pool: PoolDefinition, decision: PoolDecision) -> None:
        """Store a decision with all that it rests on."""
        lake = self.forecasting.lake
        row = {
            "session": self.night.session,
            "version": pool.version,
            "night_id": self.night.night_id,
            "decided_at": self.night.as_of,
            "verdict": decision.verdict.value,
            "definition": pool.to_text(),
            "decision": json.dumps(decision.to_document(), allow_nan=False),
            "data_hash": _data_hash(self._cases(pool)),
            "lake_snapshot": lake.version(),
            "code_version": code_version(PROJECT_ROOT),
        }
        lake.commit(
            lambda writer: writer.append(POOL_DECISIONS, pl.DataFrame([row])),
            night=self.night,
            message=f"judge the pool {pool.version}",
        )


def _data_hash(cases: Sequence[Case]) -> str:
    """Return the hash of curves, and of what pools were worth on them."""
    found = sha256()
    for case in cases:
        known = case.evaluations
        for part in ("portfolio_id", "definition_hash"):
            found.update(case.identity[part].encode())
        found.update(case.curve.log_values.tobytes())
        found.update(known.figures[:, :, known.models.index(PUBLISHED)].tobytes())
    return found.hexdigest()
