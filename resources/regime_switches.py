"""Changes of regime: read from the lake, told to the webhook once, and noted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import dagster as dg
import polars as pl
from pydantic import Field

from pipelines.nights import Night, Origin
from pipelines.regimes.switches import (
    LOOK_BACK,
    NEWS_FOR,
    SWITCH_CONFIDENCE,
    SWITCHES_QUERY,
    call_document,
    idempotency_key,
)
from pipelines.regimes.tables import REGIME_CALLS
from resources.lake import Lake
from resources.webhook import Webhook


@dataclass(frozen=True)
class SwitchCalls:
    """What became of telling the webhook."""

    delivered: int
    waiting: int
    fault: str | None


class RegimeSwitches(dg.ConfigurableResource[Any]):
    """Changes of regime that are sure enough to tell."""

    lake: dg.ResourceDependency[Lake]
    webhook: dg.ResourceDependency[Webhook]
    confidence: float = Field(
        default=SWITCH_CONFIDENCE, ge=0, le=1, description="Chance from which a change is told."
    )

    def between(self, first: date, last: date) -> pl.DataFrame:
        """Return the changes of some sessions; each against the state told of the one before."""
        return self.lake.read(
            SWITCHES_QUERY,
            {
                "first": first,
                "last": last,
                "since": first - LOOK_BACK,
                "confidence": self.confidence,
            },
        )

    def tell(self, nights: Sequence[Night]) -> SwitchCalls:
        """Tell the webhook of live nights' changes that it has not taken; it can fail nothing.

        What is not taken waits for the next night, for a week.
        """
        waiting = self._due(nights[-1])
        if not self.webhook.url:
            return SwitchCalls(0, len(waiting), "no webhook is set" if waiting else None)
        delivered = 0
        for night, switches in waiting:
            fault = self.webhook.post(
                call_document(night, switches), idempotency_key=idempotency_key(night)
            )
            if fault:
                return SwitchCalls(delivered, len(waiting) - delivered, fault)
            self._note(night, switches)
            delivered += 1
        return SwitchCalls(delivered, 0, None)

    def _due(self, tonight: Night) -> list[tuple[Night, pl.DataFrame]]:
        """Return live nights of the last week with changes that nobody has taken, oldest first."""
        switches = self.between(tonight.session - NEWS_FOR, tonight.session)
        news = switches.filter(pl.col("origin") == Origin.LIVE.value)
        if news.is_empty():
            return []
        called = self.lake.read("SELECT session FROM regime_calls")["session"].to_list()
        rows = self.lake.read(
            "SELECT session, as_of FROM nights WHERE market = $market",
            {"market": tonight.market},
        )
        as_of = dict(rows.iter_rows())
        return [
            (Night(tonight.market, session, as_of[session], Origin.LIVE), of_session)
            for (session,), of_session in news.group_by("session", maintain_order=True)
            if session not in called
        ]

    def _note(self, night: Night, switches: pl.DataFrame) -> None:
        """Note that the webhook has taken a night's changes."""
        row = {
            "session": night.session,
            "night_id": night.night_id,
            "switches": switches.height,
            "called_at": night.as_of,
        }
        self.lake.commit(
            lambda writer: writer.append(REGIME_CALLS, pl.DataFrame([row])),
            night=night,
            message="note a call about regimes",
        )
