"""The archive of vendor answers in the lake: lands what comes, tells what is known.

Landing works in batches of their own transaction, so that a night that is cut off loses few answers
that were paid for with a request.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any

import dagster as dg
import polars as pl
from pydantic import Field

from pipelines.nights import Night
from pipelines.tables import VENDOR_BODIES, VENDOR_RESPONSES
from pipelines.vendor.knowledge import Rejections, VendorKnowledge
from pipelines.vendor.landing import body_rows, response_rows
from pipelines.vendor.limits import vendor_day_start
from pipelines.vendor.plans import Plan
from pipelines.vendor.refusals import RefusalKind
from pipelines.vendor.requests import DAILY_FUNCTION, PLAIN_DAILY_FUNCTION
from pipelines.vendor.responses import VendorResponse
from resources.lake import Lake
from resources.lake_writer import LakeWriter

BATCH_RESPONSES = 20
"""Answers a transaction: few enough to lose little, enough to keep the lake's files few."""

Progress = Callable[[str], None]

_ANSWERED = """
    SELECT function, coalesce(symbol, json_extract_string(request, '$.state')) AS subject,
           max(fetched_at) AS answered_at
    FROM vendor_responses WHERE outcome = 'data' AND subject IS NOT NULL GROUP BY ALL
"""
_REFUSED = """
    SELECT function, symbol, max(fetched_at) AS refused_at
    FROM vendor_responses AS refused
    WHERE outcome = $bad_call AND symbol IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM vendor_responses AS later
        WHERE later.function = refused.function AND later.symbol = refused.symbol
          AND later.outcome = 'data' AND later.response_id > refused.response_id
    ) GROUP BY function, symbol
"""
_REJECTIONS = """
    WITH asked AS (
        SELECT symbol, outcome, fetched_at, response_id,
               max(response_id) FILTER (outcome = 'data') OVER (PARTITION BY symbol) AS last_data
        FROM vendor_responses WHERE list_contains($functions, function)
    )
    SELECT symbol, count(*) AS times, max(fetched_at) AS last
    FROM asked WHERE outcome = $bad_call AND response_id > coalesce(last_data, 0)
    GROUP BY symbol
"""
"""How often in a row a symbol was unknown since it was last answered, if ever."""


class VendorArchive(dg.ConfigurableResource[Any]):
    """Every answer of the vendor, as it came."""

    lake: dg.ResourceDependency[Lake]
    metered_batch: int = Field(
        default=1,
        ge=1,
        description="Answers a transaction under a plan that counts the day's requests: what is "
        "lost in a crash would be spent a second time.",
    )

    def latest_sessions(self) -> dict[str, date]:
        """Return the newest stored session of each symbol."""
        return self._newest_of("daily_prices")

    def first_sessions(self) -> dict[str, date]:
        """Return the oldest stored session of each symbol."""
        rows = self.lake.read("SELECT symbol, min(session) AS session FROM daily_prices GROUP BY 1")
        return dict(rows.iter_rows())

    def listings(self) -> pl.DataFrame:
        """Return what the vendor lists, empty before it was asked."""
        return self.lake.read("SELECT * FROM listings ORDER BY symbol, status")

    def knowledge(self) -> VendorKnowledge:
        """Return what is known of the vendor's answers."""
        parameters = {
            "functions": [DAILY_FUNCTION, PLAIN_DAILY_FUNCTION],
            "bad_call": RefusalKind.BAD_CALL.value,
        }
        rejected = self.lake.read(_REJECTIONS, parameters)
        refused = self.lake.read(_REFUSED, {"bad_call": RefusalKind.BAD_CALL.value})
        delisted = self.lake.read(
            "SELECT symbol, max(delisting_date) FROM listings GROUP BY symbol "
            "HAVING bool_and(status = 'Delisted') AND max(delisting_date) IS NOT NULL"
        )
        return VendorKnowledge(
            latest_sessions=self.latest_sessions(),
            answered={(row[0], row[1]): row[2] for row in self.lake.read(_ANSWERED).iter_rows()},
            rejections={row[0]: Rejections(row[1], row[2]) for row in rejected.iter_rows()},
            delisted=dict(delisted.iter_rows()),
            index_sessions=self._newest_of("index_prices"),
            refused={(row[0], row[1]): row[2] for row in refused.iter_rows()},
        )

    def spent_today(self, now: datetime) -> int:
        """Return how many requests were sent since the vendor's day began, all attempts counted."""
        return int(
            self.lake.read(
                "SELECT count(*) FROM vendor_responses WHERE fetched_at >= $since",
                {"since": vendor_day_start(now)},
            ).item()
        )

    def land(
        self,
        responses: Iterable[VendorResponse],
        *,
        night: Night,
        progress: Progress,
        plan: Plan | None = None,
    ) -> Counter[str]:
        """Store answers as they come, and return how many there were of each outcome."""
        batch = self.metered_batch if plan and plan.requests_per_day else BATCH_RESPONSES
        outcomes: Counter[str] = Counter()
        pending: list[VendorResponse] = []

        def store() -> None:
            if pending:
                self._append(pending, night=night)
                outcomes.update(response.outcome for response in pending)
                progress(f"{outcomes.total()} vendor answers landed, last {_name(pending[-1])}")
                pending.clear()

        try:
            for response in responses:
                pending.append(response)
                if len(pending) == batch:
                    store()
        finally:
            store()  # what came before an error was paid for too
        return outcomes

    def _newest_of(self, table: str) -> dict[str, date]:
        """Return the newest session of each symbol of a table."""
        rows = self.lake.read(f"SELECT symbol, max(session) FROM {table} GROUP BY symbol")
        return dict(rows.iter_rows())

    def _append(self, batch: list[VendorResponse], *, night: Night) -> None:
        """Append answers, and the bodies that the lake does not have yet."""

        def work(writer: LakeWriter) -> None:
            newest = writer.read(
                "SELECT coalesce(max(response_id), 0) FROM vendor_responses"
            ).item()
            writer.append(VENDOR_RESPONSES, response_rows(batch, first_id=newest + 1))
            writer.merge(VENDOR_BODIES, body_rows(batch))

        self.lake.commit(work, night=night, message=f"land {len(batch)} vendor answers")


def _name(response: VendorResponse) -> str:
    """Return what an answer is called in a line of progress."""
    request = response.request
    return f"{request.symbol or request.function} ({response.outcome})"
