"""The detectors at work on the lake: bars that are due, block by block, oldest first.

Each block is a transaction of its own: profiles, fits where a period begins, scores, alerts. The
position moves with the last one, so that a run that was killed judges the same bars again, by the
fits that it has kept, and writes only what differs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import dagster as dg
import polars as pl
from pydantic import Field

from pipelines.anomalies.alert_budget import FALSE_DISCOVERY_LEVEL, MOST_ALERTS, AlertBudget
from pipelines.anomalies.detectors import PANEL_DETECTOR
from pipelines.anomalies.reviewed_detector import (
    REVIEWED_DETECTOR,
    ReviewedDetector,
    missing_verdicts,
)
from pipelines.anomalies.score_blocks import Block, blocks_of
from pipelines.anomalies.score_queries import (
    ALERTS_QUERY,
    NEWEST_FITS_QUERY,
    RECIPE,
    REVIEWED_BARS_QUERY,
    changed_query,
    due_query,
    removal_statement,
)
from pipelines.anomalies.scoring_report import ScoringReport
from pipelines.anomalies.tables import BAR_SCORES
from pipelines.nights import Night
from pipelines.tables import DAILY_PRICES
from resources.bar_judging import BlockJudge
from resources.lake import Lake
from resources.lake_writer import LakeWriter

Progress = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class DetectorState:
    """The newest fits, one row of `detector_fits` each, none where there is none.

    Attributes:
        missing_verdicts: Verdicts missing at least before the reviewed detector can be learnt.
    """

    panel: pl.DataFrame
    reviewed: pl.DataFrame
    missing_verdicts: int

    @property
    def is_reviewed_heard(self) -> bool:
        """Whether the detector learnt from verdicts takes part."""
        bodies = self.reviewed["body"]
        return any(ReviewedDetector.from_bytes(body).is_heard for body in bodies)


class BarScoring(dg.ConfigurableResource[Any]):
    """Judges new and revised bars within an alert budget."""

    lake: dg.ResourceDependency[Lake]
    false_discovery_level: float = Field(
        default=FALSE_DISCOVERY_LEVEL, gt=0, lt=1, description="Share of alerts that may be false."
    )
    most_alerts: int = Field(default=MOST_ALERTS, ge=0, description="Alerts a night at most.")

    def bring_up_to_date(
        self, *, night: Night, sessions: Sequence[date], progress: Progress
    ) -> ScoringReport:
        """Judge every bar that is new, or of a new revision, since the last time.

        Args:
            night: The night that commits; verdicts landed later don't exist for it.
            sessions: Sessions of the run: their suspects are worth a forecast.
            progress: Told of each block that is done.
        """
        since, until = self._feed()
        changed = changed_query(since=since, until=until)
        due = due_query(since=since, until=until, sessions=sessions)
        asked = f"SELECT symbol FROM ({changed}) UNION ALL SELECT symbol FROM ({due}) LIMIT 1"
        if self.lake.read(asked).is_empty():
            return ScoringReport()
        budget = AlertBudget(self.false_discovery_level, self.most_alerts)
        report = ScoringReport()
        for block in self._blocks(due):
            judge = BlockJudge(block, due, budget, night, frozenset(sessions))
            report += self.lake.commit(judge, night=night, message=f"judge bars to {block.last}")
            progress(f"{report.bars:,} bars judged, through {block.last}: {report.alerts} alerts")

        def finish(writer: LakeWriter) -> None:
            writer.connection.execute(removal_statement(since=since, until=until))
            writer.advance(BAR_SCORES.name, DAILY_PRICES.name, position=until, recipe=RECIPE)

        self.lake.commit(finish, night=night, message="note bars judged")
        return report

    def state(self, *, night: Night) -> DetectorState:
        """Return the newest fits that apply to a night's session."""

        def newest(detector: str) -> pl.DataFrame:
            asked = {"detector": detector, "last": night.session}
            return self.lake.read(NEWEST_FITS_QUERY, asked).tail(1)

        asked = {"as_of": night.as_of, "known_from": night.session}
        reviewed = self.lake.read(REVIEWED_BARS_QUERY, asked)
        return DetectorState(
            newest(PANEL_DETECTOR), newest(REVIEWED_DETECTOR), missing_verdicts(reviewed)
        )

    def alerts(self, sessions: Sequence[date]) -> pl.DataFrame:
        """Return the alerts of sessions: symbol, session, message, the most unusual first."""
        return self.lake.read(ALERTS_QUERY, {"sessions": list(sessions)})

    def _feed(self) -> tuple[int | None, int]:
        """Return the lake versions between which the changes are to be taken in."""
        with self.lake.connect() as connection:
            writer = LakeWriter(connection)
            since = writer.position(BAR_SCORES.name, DAILY_PRICES.name, recipe=RECIPE)
            return since, writer.version()

    def _blocks(self, due: str) -> list[Block]:
        """Return the blocks of what is due."""
        sessions = self.lake.read(f"SELECT DISTINCT session FROM ({due})")["session"].to_list()
        if not sessions:
            return []
        symbols = self.lake.read("SELECT count(DISTINCT symbol) FROM clean_prices").item()
        return blocks_of(sessions, symbols=symbols)
