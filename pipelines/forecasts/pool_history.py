"""Which pool reigns, and when another is due to challenge it: from decisions and withdrawals."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl

from pipelines.forecasts.pool_definition import PoolDefinition
from pipelines.forecasts.pool_promotion import PoolDecision

CHALLENGE_EVERY = 63
"""Sessions after which a pool that was not promoted is judged again: a quarter."""
POOLS_QUERY = """
    SELECT decided.*, withdrawn_at, withdrawn_by, reason, in_favour_of
    FROM pool_decisions AS decided LEFT JOIN pool_withdrawals USING (version)
    ORDER BY decided_at, session, version
"""


@dataclass(frozen=True, eq=False)
class JudgedPool:
    """A decision about a pool, and its row: how it came to be, and what became of it."""

    definition: PoolDefinition
    decision: PoolDecision
    row: Mapping[str, Any]

    @property
    def version(self) -> str:
        """The pool's name."""
        return str(self.row["version"])

    @property
    def session(self) -> date:
        """Session of the night that decided."""
        session: date = self.row["session"]
        return session

    @property
    def decided_at(self) -> datetime:
        """The instant of that night."""
        decided_at: datetime = self.row["decided_at"]
        return decided_at

    @property
    def withdrawn(self) -> str | None:
        """Who took the pool back, when, for what and why; None if nobody did."""
        if self.row["withdrawn_at"] is None:
            return None
        return (
            f"withdrawn by {self.row['withdrawn_by']} on {self.row['withdrawn_at']:%Y-%m-%d %H:%M} "
            f"UTC in favour of the pool {self.row['in_favour_of']}: {self.row['reason']}"
        )

    @property
    def may_reign(self) -> bool:
        """Whether nights may be forecast by it."""
        return self.decision.verdict.promotes and self.withdrawn is None


@dataclass(frozen=True, eq=False)
class PoolHistory:
    """All decisions, the oldest first."""

    decisions: Sequence[JudgedPool]

    @classmethod
    def of(cls, rows: pl.DataFrame) -> "PoolHistory":
        """Return the history of rows of `POOLS_QUERY`."""
        return cls(
            [
                JudgedPool(
                    PoolDefinition.from_text(row["definition"]),
                    PoolDecision.from_document(json.loads(row["decision"])),
                    row,
                )
                for row in rows.iter_rows(named=True)
            ]
        )

    def reigning(self, as_of: datetime | None = None) -> JudgedPool | None:
        """Return what forecasts nights that are seen from an instant; None before any decision.

        A night from before the first decision is forecast by the first pool.
        """
        able = [one for one in self.decisions if one.may_reign]
        known = [one for one in able if as_of is None or one.decided_at <= as_of]
        return known[-1] if known else able[0] if able else None

    def named(self, version: str) -> list[JudgedPool]:
        """Return all decisions about one pool."""
        return [one for one in self.decisions if one.version == version]

    def challenger_due(self, configured: PoolDefinition, session: date) -> bool:
        """Return whether the configured pool is to be judged in the night of a session.

        A night of the past decides nothing: it knows less than those that decided since. A pool
        that was withdrawn does not come back.
        """
        reigning, before = self.reigning(), self.named(configured.version)
        if reigning is None:
            return not before
        if reigning.version == configured.version or self.decisions[-1].session >= session:
            return False
        return not any(one.withdrawn for one in before)

    @property
    def spent_at(self) -> date | None:
        """Session of the last test, from which on alpha accrues; of the first decision before."""
        spent = [one.session for one in self.decisions if one.decision.alpha > 0]
        return max(spent, default=self.decisions[0].session if self.decisions else None)
