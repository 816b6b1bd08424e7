"""A small real lake whose bars are judged by the detectors, night after night."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from pipelines.anomalies.scoring_report import ScoringReport
from pipelines.anomalies.tables import QUARANTINED_PRICES, VERDICTS
from pipelines.markets.recorded import BAR_SCHEMA
from pipelines.markets.simulated import simulate_market
from pipelines.markets.simulation.settings import SimulationSettings
from pipelines.nights import Night
from pipelines.tables import CLEAN_PRICES
from resources.bar_scoring import BarScoring
from resources.lake import Lake
from resources.lake_writer import LakeWriter
from tests.support.lake import (
    CALENDAR,
    daily_rows,
    night_of,
    put_bars,
    table_of,
    temporary_lake,
)
from tests.support.simulated_prices import clean_prices_of

SETTINGS = SimulationSettings(symbols=12, sessions=280, seed=11)
DAYS = SETTINGS.days


def simulated_daily() -> pl.DataFrame:
    """Return rows of daily_prices of a simulated market."""
    market, _ = simulate_market(SETTINGS)
    return daily_rows(market.bars)


@dataclass
class ScoredLake:
    """A lake and the detectors at work on it."""

    lake: Lake
    scoring: BarScoring

    @classmethod
    def at(cls, path: Path) -> "ScoredLake":
        """Make a lake in a folder."""
        lake = temporary_lake(path, market="simulated")
        return cls(lake, BarScoring(lake=lake))

    def put(self, bars: pl.DataFrame, *, withheld: tuple[tuple[str, date], ...] = ()) -> None:
        """Write bars, and what follows from them where some are withheld and the others clean.

        Args:
            bars: Rows of daily_prices that are new or revised.
            withheld: Symbol and session of the bars that are withheld, of all there are.
        """
        put_bars(self.lake, bars, sessions=DAYS)
        daily = table_of(self.lake, "daily_prices")
        keys = pl.DataFrame(
            withheld, schema={"symbol": pl.String, "session": pl.Date}, orient="row"
        )
        key = ["symbol", "session"]
        clean = clean_prices_of(daily.join(keys, on=key, how="anti").select(BAR_SCHEMA.names()))
        bad = daily.join(keys, on=key, how="semi").with_columns(
            rules=pl.lit(["a rule"]),
            reasons=pl.lit(["a reason"]),
            severity=pl.lit("high"),
            evidence=pl.lit("{}"),
            resolution=pl.lit(None, dtype=pl.String),
            in_force_revision=pl.lit(None, dtype=pl.Int32),
        )

        def work(writer: LakeWriter) -> None:
            for table, rows in ((CLEAN_PRICES, clean), (QUARANTINED_PRICES, bad)):
                writer.connection.execute(f"DELETE FROM {table.name}")
                writer.append(table, rows)

        self.lake.commit(work, night=night(DAYS[-1]), message="put prices")

    def judge(self, session: date, *, sessions: Sequence[date] | None = None) -> ScoringReport:
        """Judge what is due, as the night of a session."""
        return self.scoring.bring_up_to_date(
            night=night(session), sessions=sessions or [session], progress=str
        )

    def scores(self) -> pl.DataFrame:
        """Return all scores, by symbol and session."""
        return table_of(self.lake, "bar_scores")

    def fits(self) -> pl.DataFrame:
        """Return all fits, in order."""
        return self.lake.read("SELECT * FROM detector_fits ORDER BY detector, applies_from")

    def land_verdicts(self, bars: pl.DataFrame, *, landed: date) -> None:
        """Write verdicts as the night of a session landed them.

        Args:
            bars: symbol, session, revision and resolution.
            landed: The night's session.
        """
        at = CALENDAR.known_at(landed)
        rows = bars.with_columns(
            resolved_at=pl.lit(at),
            note=pl.lit(None, dtype=pl.String),
            collection=pl.lit("quarantined_prices"),
            night_id=pl.lit(night(landed).night_id),
            landed_at=pl.lit(at),
        ).select(VERDICTS.column_names)
        self.lake.commit(
            lambda writer: writer.append(VERDICTS, rows), night=night(landed), message="verdicts"
        )


def night(session: date) -> Night:
    """Return the night of a session of the simulated market."""
    return night_of(session, market="simulated")
