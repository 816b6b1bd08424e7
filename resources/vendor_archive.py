"""The archive of vendor bodies in the lake: lands what comes, reads out what is not read yet.

Both work in batches of their own transaction, so that a night that is cut off loses no answer that
was paid for with a request.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import dagster as dg

from pipelines.calendar import ExchangeCalendar
from pipelines.nights import Night
from pipelines.prices.revisions import LandedBody, read_bodies, revise
from pipelines.tables import DAILY_PRICES, VENDOR_BODIES, VENDOR_RESPONSES
from pipelines.vendor.landing import body_rows, decompress, response_rows
from pipelines.vendor.refusals import RefusalKind
from pipelines.vendor.responses import VendorResponse
from resources.lake import Lake
from resources.lake_writer import LakeWriter

BATCH_RESPONSES = 20
"""Answers a transaction: few enough to lose little, enough to keep the lake's files few."""

Progress = Callable[[str], None]


@dataclass
class IngestionReport:
    """What reading landed bodies did to `daily_prices`."""

    bodies: int = 0
    inserted: int = 0
    revised: int = 0
    unreadable: list[str] = field(default_factory=list)


class VendorArchive(dg.ConfigurableResource[Any]):
    """Every answer of the vendor, as it came."""

    lake: dg.ResourceDependency[Lake]

    def latest_sessions(self) -> dict[str, date]:
        """Return the newest stored session of each symbol."""
        rows = self.lake.read("SELECT symbol, max(session) AS session FROM daily_prices GROUP BY 1")
        return dict(rows.iter_rows())

    def first_sessions(self) -> dict[str, date]:
        """Return the oldest stored session of each symbol."""
        rows = self.lake.read("SELECT symbol, min(session) AS session FROM daily_prices GROUP BY 1")
        return dict(rows.iter_rows())

    def worth_asking(self, universe: Iterable[str], *, night: Night) -> list[str]:
        """Return the symbols that the vendor has not called unknown tonight already.

        A rerun would only be told the same again, at the price of a request.
        """
        unknown = self.lake.read(
            "SELECT DISTINCT symbol FROM vendor_responses "
            "WHERE outcome = $bad_call AND fetched_at = $as_of",
            {"bad_call": RefusalKind.BAD_CALL.value, "as_of": night.as_of},
        )
        return sorted(set(universe) - set(unknown["symbol"]))

    def land(
        self, responses: Iterable[VendorResponse], *, night: Night, progress: Progress
    ) -> Counter[str]:
        """Store answers as they come, and return how many there were of each outcome."""
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
                if len(pending) == BATCH_RESPONSES:
                    store()
        finally:
            store()  # what came before an error was paid for too
        return outcomes

    def ingest(
        self, *, night: Night, calendar: ExchangeCalendar, progress: Progress
    ) -> IngestionReport:
        """Read every body that is not read yet into `daily_prices`."""
        last_final = calendar.last_completed(night.as_of)
        report = IngestionReport()

        def work(writer: LakeWriter) -> IngestionReport:
            bodies, position = _unread(writer)
            sent = read_bodies(bodies, last_final=last_final)
            stored = writer.read(
                "SELECT * FROM daily_prices WHERE list_contains($symbols, symbol)",
                {"symbols": [body.symbol for body in bodies]},
            )
            news = revise(stored, sent.bars, as_of=night.as_of, calendar=calendar)
            update = writer.merge(DAILY_PRICES, news)
            writer.advance(DAILY_PRICES.name, VENDOR_RESPONSES.name, position=position)
            return IngestionReport(
                len(bodies), update.inserted, update.updated, list(sent.unreadable)
            )

        while self._has_unread():
            done = self.lake.commit(work, night=night, message="read vendor bodies")
            report.bodies += done.bodies
            report.inserted += done.inserted
            report.revised += done.revised
            report.unreadable += done.unreadable
            progress(f"{report.bodies} bodies read, {report.inserted:,} new bars")
        return report

    def _append(self, batch: list[VendorResponse], *, night: Night) -> None:
        """Append answers, and the bodies that the lake does not have yet."""

        def work(writer: LakeWriter) -> None:
            newest = writer.read(
                "SELECT coalesce(max(response_id), 0) FROM vendor_responses"
            ).item()
            writer.append(VENDOR_RESPONSES, response_rows(batch, first_id=newest + 1))
            writer.merge(VENDOR_BODIES, body_rows(batch))

        self.lake.commit(work, night=night, message=f"land {len(batch)} vendor answers")

    def _has_unread(self) -> bool:
        """Tell whether an answer came since `daily_prices` last read."""
        return bool(
            self.lake.read(
                """
                SELECT coalesce(max(response_id), 0) > coalesce((
                    SELECT position FROM consumer_positions
                    WHERE consumer = 'daily_prices' AND source = 'vendor_responses'
                ), 0) FROM vendor_responses
                """
            ).item()
        )


def _unread(writer: LakeWriter) -> tuple[list[LandedBody], int]:
    """Return the next bodies to read, and the number of the last answer they reach up to."""
    position = writer.position(DAILY_PRICES.name, VENDOR_RESPONSES.name) or 0
    rows = writer.read(
        """
        SELECT response_id, symbol, outcome, body
        FROM vendor_responses LEFT JOIN vendor_bodies USING (body_sha256)
        WHERE response_id > $position ORDER BY response_id LIMIT $limit
        """,
        {"position": position, "limit": BATCH_RESPONSES},
    )
    bodies = [
        LandedBody(row["response_id"], row["symbol"], decompress(row["body"]))
        for row in rows.iter_rows(named=True)
        if row["outcome"] == "data"
    ]
    return bodies, rows["response_id"][-1]


def _name(response: VendorResponse) -> str:
    """Return what an answer is called in a line of progress."""
    return f"{response.request.symbol} ({response.outcome})"
