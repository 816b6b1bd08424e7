"""Lakes of simulated bars of any size, filled in files, for benchmarks."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl

from pipelines.calendar import ExchangeCalendar
from pipelines.markets.simulated import simulate_chunks
from pipelines.markets.simulation.settings import SimulationSettings
from pipelines.nights import Night, open_night
from pipelines.tables import DAILY_PRICES, EXCHANGE_SESSIONS
from resources.lake import Lake
from resources.lake_files import LakeFiles
from resources.lake_writer import LakeWriter

MARKET = "simulated"
ADJUSTED_DIGITS = 15
"""Significant digits of an adjusted close in a body."""
CALENDAR = ExchangeCalendar.of("XNYS")


def lake_in(folder: Path) -> Lake:
    """Return the lake of a folder; the first use creates it."""
    return Lake(
        catalog_path=str(folder / "catalog.sqlite"),
        data_path=f"{folder / 'data'}/",
        extension_directory=str(folder.parent / "duckdb_extensions"),
        market=MARKET,
    )


def night_of(session: date) -> Night:
    """Return the night of a session, seen when its bars became final."""
    return open_night(MARKET, session, calendar=CALENDAR, as_of=CALENDAR.known_at(session))


def fill(folder: Path, settings: SimulationSettings, *, last: int = 0) -> int:
    """Make a lake with the daily bars of a market; return how many.

    Args:
        folder: The lake's folder.
        settings: The market.
        last: Sessions at the end that are left out.
    """
    days = settings.days[: len(settings.days) - last]
    rows = 0

    def work(writer: LakeWriter) -> None:
        nonlocal rows
        writer.append(EXCHANGE_SESSIONS, _sessions(settings.days))
        with LakeFiles((DAILY_PRICES,), writer.data_path) as files:
            for bars in daily_rows(settings):
                kept = bars.filter(pl.col("session") <= days[-1])
                rows += kept.height
                files.write(kept)
            files.hand_over(writer.connection)

    lake_in(folder).commit(work, night=night_of(days[-1]), message="simulate")
    return rows


def chunks_as_sent(settings: SimulationSettings) -> Iterator[pl.DataFrame]:
    """Yield the bars of some symbols at a time, as exact as the vendor writes them.

    A lake that held more digits than a body tells would see every bar revised.
    """
    for chunk in simulate_chunks(settings):
        yield chunk.bars.with_columns(pl.col("adjusted_close").round_sig_figs(ADJUSTED_DIGITS))


def daily_rows(settings: SimulationSettings) -> Iterator[pl.DataFrame]:
    """Yield rows of `daily_prices`, some symbols at a time, known since they were final."""
    finals = pl.DataFrame(
        {"session": settings.days, "known_at": [CALENDAR.known_at(day) for day in settings.days]},
        schema={"session": pl.Date, "known_at": pl.Datetime("us", "UTC")},
    )
    for bars in chunks_as_sent(settings):
        yield bars.join(finals, on="session", how="left", maintain_order="left").with_columns(
            known_at_basis=pl.lit("assumed"),
            revision=pl.lit(1, dtype=pl.Int32),
            response_id=pl.lit(1, dtype=pl.Int64),
        )


def _sessions(days: list[date]) -> pl.DataFrame:
    """Return rows of `exchange_sessions`."""
    return pl.DataFrame(
        CALENDAR.closes(days[0], days[-1]),
        schema={"session": pl.Date, "closes_at": pl.Datetime("us", "UTC")},
        orient="row",
    )
