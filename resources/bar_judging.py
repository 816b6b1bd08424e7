"""One transaction of the detectors: the due bars of a block, period by period."""

from dataclasses import dataclass
from datetime import date

import polars as pl

from pipelines.anomalies.alert_budget import AlertBudget, with_alerts
from pipelines.anomalies.detectors import unjudged
from pipelines.anomalies.profiles import LOOK_BACK, profile_bars
from pipelines.anomalies.score_blocks import Block
from pipelines.anomalies.score_queries import (
    CLEAN_QUERY,
    FIRST_BAR_QUERY,
    LOOK_BACK_QUERY,
    STORED_QUERY,
    WITHHELD_QUERY,
)
from pipelines.anomalies.scoring_report import ScoringReport
from pipelines.anomalies.tables import BAR_SCORES
from pipelines.nights import Night
from resources.detector_fits import ReviewedFits, panel_fit, reviewed_fits
from resources.lake_writer import LakeWriter
from resources.suspect_forecasts import forecast_suspects

KEY = ["symbol", "session"]
WRITTEN_LAST = ("is_alert", "prophet_score")


@dataclass(frozen=True)
class BlockJudge:
    """Judges the due bars of a block within one transaction.

    Attributes:
        due: SQL for the bars that are due.
        sessions: Sessions whose suspects are worth a forecast.
    """

    block: Block
    due: str
    budget: AlertBudget
    night: Night
    sessions: frozenset[date]

    def __call__(self, writer: LakeWriter) -> ScoringReport:
        """Write the scores of the block's bars, and the fits that they need."""
        rows = self._due_bars(writer)
        reviewed = reviewed_fits(writer, night=self.night, last=self.block.last)
        report = ScoringReport()
        for period, first, last in self.block.periods(writer.read(FIRST_BAR_QUERY).item()):
            is_inside = pl.col("session").is_between(first, last)
            report += self._judge(writer, rows.filter(is_inside), period, reviewed)
        return report

    def _judge(
        self, writer: LakeWriter, rows: pl.DataFrame, period: date, reviewed: ReviewedFits
    ) -> ScoringReport:
        """Write the scores of a period's due bars; alerts are chosen anew in their sessions."""
        fit = panel_fit(writer, period)
        judged = unjudged(rows) if fit is None else fit.detector.judged(rows)
        scored = reviewed.applied_to(judged).with_columns(
            applies_from=pl.lit(fit.applies_from if fit else None, dtype=pl.Date)
        )
        stored = writer.read(STORED_QUERY, {"sessions": rows["session"].unique().to_list()})
        chosen = with_alerts(_beside_the_others(scored, stored), self.budget)
        alerts = scored.join(chosen.select(*KEY, "is_alert"), on=KEY)
        is_asked = pl.col("session").is_in(list(self.sessions))
        forecasts = forecast_suspects(writer, alerts.filter(is_asked))
        writer.merge(BAR_SCORES, _with_forecasts(chosen, forecasts.scores, stored))
        return ScoringReport.of(
            alerts,
            forecasts=forecasts.scores.height,
            suspects_left_out=forecasts.left_out,
        )

    def _due_bars(self, writer: LakeWriter) -> pl.DataFrame:
        """Return the due bars of the block with their profiles."""
        bounds = {"first": self.block.first, "last": self.block.last}
        due = writer.read(
            f"SELECT * FROM ({self.due}) WHERE session BETWEEN $first AND $last "
            "ORDER BY symbol, session",
            bounds,
        )
        read_from = writer.read(
            LOOK_BACK_QUERY, {"session": self.block.first, "sessions": LOOK_BACK}
        ).item()
        clean = writer.read(CLEAN_QUERY, {**bounds, "first": read_from or self.block.first})
        withheld = writer.read(WITHHELD_QUERY, {**bounds, "first": read_from or self.block.first})
        profiles = profile_bars(clean, withheld)
        # A withheld bar whose former values are in force is there twice: it is the new ones' turn.
        of_bars = profiles.sort("is_clean", maintain_order=True).unique(
            KEY, keep="first", maintain_order=True
        )
        return due.join(of_bars, on=KEY, how="left", maintain_order="left")


def _with_forecasts(
    bars: pl.DataFrame, forecasts: pl.DataFrame, stored: pl.DataFrame
) -> pl.DataFrame:
    """Return bars with prophet_score: tonight's, or the one that the same revision had before."""
    of_revision = [*KEY, "revision"]
    before = stored.select(*of_revision, "prophet_score").rename({"prophet_score": "before"})
    return (
        bars.join(forecasts, on=KEY, how="left", maintain_order="left")
        .join(before, on=of_revision, how="left", maintain_order="left")
        .with_columns(pl.coalesce("prophet_score", "before").alias("prophet_score"))
    )


def _beside_the_others(scored: pl.DataFrame, stored: pl.DataFrame) -> pl.DataFrame:
    """Return scored bars with the bars of their sessions that are not judged again."""
    names = [name for name in BAR_SCORES.column_names if name not in WRITTEN_LAST]
    others = stored.join(scored, on=KEY, how="anti").select(names)
    rows = scored.select(pl.col(name).cast(stored.schema[name]) for name in names)
    return pl.concat([rows, others])
