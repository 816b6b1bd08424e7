"""Real lakes in temporary folders, nights to commit under, and bars to put into them."""

import shutil
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from types import MappingProxyType

import numpy as np
import polars as pl

from pipelines.anomalies.derivation import PRICE_ANOMALIES_DERIVATION
from pipelines.anomalies.quarantine import QUARANTINE_DERIVATION
from pipelines.anomalies.tables import BODY_ANOMALIES, PRICE_REVISIONS, VERDICTS
from pipelines.calendar import ExchangeCalendar
from pipelines.derivations import Derivation, TableUpdate
from pipelines.features.catalogue import SIGNAL_GROUPS
from pipelines.features.derivation import FEATURE_DERIVATIONS
from pipelines.features.market_relative import MARKET_RELATIVE
from pipelines.features.market_returns import MARKET_RETURNS_DERIVATION
from pipelines.label_derivation import NEXT_SESSION_LABELS_DERIVATION
from pipelines.markets.recorded import BAR_SCHEMA
from pipelines.nights import Night, open_night
from pipelines.prices.total_return import CLEAN_PRICES_DERIVATION
from pipelines.tables import DAILY_PRICES, EXCHANGE_SESSIONS, TABLES
from resources.derived_apart import derived_apart
from resources.lake import Lake
from resources.lake_attachment import detach
from resources.lake_writer import LakeWriter
from tests.support.clean_bars import FIRST_SESSION, simulated_clean_prices

CALENDAR = ExchangeCalendar.of("XNYS")
SESSIONS = CALENDAR.sessions(date(2012, 9, 4), date(2013, 3, 1))
DERIVATIONS = (
    PRICE_ANOMALIES_DERIVATION,
    QUARANTINE_DERIVATION,
    CLEAN_PRICES_DERIVATION,
    MARKET_RETURNS_DERIVATION,
    *(FEATURE_DERIVATIONS[group.name] for group in (*SIGNAL_GROUPS, MARKET_RELATIVE)),
    NEXT_SESSION_LABELS_DERIVATION,
)
"""What follows from `daily_prices`, in the order of the night; of the groups of features, those
that the signals learn from, and the one with two sources."""
KEPT_TABLES = (PRICE_REVISIONS, BODY_ANOMALIES, VERDICTS)
"""What happened once, from which derived tables follow too."""


def temporary_lake(path: Path, *, market: str = "sample", busy_attempts: int = 6) -> Lake:
    """Return a lake of its own in a folder; the first use creates it."""
    return Lake(
        catalog_path=str(path / "catalog.sqlite"),
        data_path=f"{path / 'data'}/",
        extension_directory=str(path.parent / "duckdb_extensions"),
        market=market,
        busy_attempts=busy_attempts,
    )


def copy_of(lake: Lake, folder: Path) -> Lake:
    """Return a copy of a lake in another folder, as if it had been made there.

    For tests that change a lake which takes long to make; it must have been made by
    `temporary_lake` in a folder of its own.
    """
    detach(lake.catalog_path)
    shutil.copytree(Path(lake.catalog_path).parent, folder)
    copied = temporary_lake(folder, market=lake.market)
    with closing(sqlite3.connect(copied.catalog_path)) as catalog, catalog:
        catalog.execute(
            "UPDATE ducklake_metadata SET value = ? WHERE key = 'data_path'", [copied.data_path]
        )
    return copied


def night_of(session: date = SESSIONS[-1], *, market: str = "sample") -> Night:
    """Return the night of a session, seen when its bars became final."""
    return open_night(market, session, calendar=CALENDAR, as_of=CALENDAR.known_at(session))


def simulated_bars(
    seed: int = 1, *, symbols: int = 3, sessions: int = 90, missing_share: float = 0.05
) -> pl.DataFrame:
    """Return bars of random walks on real sessions, with splits, dividends and gaps."""
    made = simulated_clean_prices(
        np.random.default_rng(seed), symbols=symbols, sessions=sessions, missing_share=missing_share
    )
    days = {FIRST_SESSION + timedelta(days=row): SESSIONS[row] for row in range(sessions)}
    on_sessions = pl.col("session").replace_strict(days, return_dtype=pl.Date)
    return made.with_columns(on_sessions).select(BAR_SCHEMA.names())


def daily_rows(bars: pl.DataFrame, *, revision: int = 1) -> pl.DataFrame:
    """Return bars as rows of `daily_prices`, known when they were final."""
    finals = {day: CALENDAR.known_at(day) for day in bars["session"].unique()}
    return bars.with_columns(
        pl.col("session")
        .replace_strict(finals, return_dtype=pl.Datetime("us", "UTC"))
        .alias("known_at"),
        known_at_basis=pl.lit("assumed"),
        revision=pl.lit(revision, dtype=pl.Int32),
        response_id=pl.lit(1, dtype=pl.Int64),
    ).select(DAILY_PRICES.column_names)


def exchange_sessions(sessions: Sequence[date] = SESSIONS) -> pl.DataFrame:
    """Return rows of `exchange_sessions`."""
    return pl.DataFrame(
        CALENDAR.closes(sessions[0], sessions[-1]),
        schema={"session": pl.Date, "closes_at": pl.Datetime("us", "UTC")},
        orient="row",
    )


def put_bars(lake: Lake, rows: pl.DataFrame, *, sessions: Sequence[date] = SESSIONS) -> None:
    """Write rows of `daily_prices`, and the exchange's sessions, in one commit."""

    def work(writer: LakeWriter) -> None:
        writer.merge(DAILY_PRICES, rows)
        writer.merge(EXCHANGE_SESSIONS, exchange_sessions(sessions))

    lake.commit(work, night=night_of(), message="put bars")


def derive_all(
    lake: Lake, derivations: Sequence[Derivation] = DERIVATIONS
) -> dict[str, TableUpdate]:
    """Bring every derived table up to date, as a night does; return what it did to each."""
    return {
        derivation.table.name: lake.bring_up_to_date(derivation, night=night_of())
        for derivation in derivations
    }


def table_of(lake: Lake, name: str) -> pl.DataFrame:
    """Return a whole table, in the order of its key."""
    return lake.read(f"SELECT * FROM {name} ORDER BY {', '.join(TABLES[name].key)}")


def kept_rows(lake: Lake) -> dict[str, pl.DataFrame]:
    """Return what a lake keeps for good and derives from, by table."""
    return {table.name: lake.read(f"SELECT * FROM {table.name}") for table in KEPT_TABLES}


def rebuilt_tables(
    daily_prices: pl.DataFrame,
    derivations: Sequence[Derivation] = DERIVATIONS,
    *,
    kept: Mapping[str, pl.DataFrame] = MappingProxyType({}),
    sessions: pl.DataFrame | None = None,
) -> dict[str, pl.DataFrame]:
    """Return every derived table as its query makes it of all rows, without lake or merge."""
    held = {
        DAILY_PRICES.name: daily_prices,
        EXCHANGE_SESSIONS.name: exchange_sessions() if sessions is None else sessions,
    }
    return derived_apart({**held, **kept}, derivations)
