"""Real lakes in temporary folders, nights to commit under, and bars to put into them."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import polars as pl

from pipelines.anomalies.rules import QUARANTINE_DERIVATION
from pipelines.calendar import ExchangeCalendar
from pipelines.derivations import CHANGES, SCOPE, Derivation, TableUpdate
from pipelines.features.derivation import FEATURE_DERIVATIONS
from pipelines.label_derivation import NEXT_SESSION_LABELS_DERIVATION
from pipelines.markets.recorded import BAR_SCHEMA
from pipelines.nights import Night, open_night
from pipelines.prices.total_return import CLEAN_PRICES_DERIVATION
from pipelines.tables import DAILY_PRICES, EXCHANGE_SESSIONS, Table, create_statement
from resources.lake import Lake
from resources.lake_writer import LakeWriter
from tests.support.clean_bars import FIRST_SESSION, simulated_clean_prices

CALENDAR = ExchangeCalendar.of("XNYS")
SESSIONS = CALENDAR.sessions(date(2012, 9, 4), date(2013, 3, 1))
DERIVATIONS = (
    QUARANTINE_DERIVATION,
    CLEAN_PRICES_DERIVATION,
    *FEATURE_DERIVATIONS.values(),
    NEXT_SESSION_LABELS_DERIVATION,
)
"""What follows from `daily_prices`, in the order of the night; one group stands for features."""


def temporary_lake(path: Path, *, market: str = "sample", busy_attempts: int = 6) -> Lake:
    """Return a lake of its own in a folder; the first use creates it."""
    return Lake(
        catalog_path=str(path / "catalog.sqlite"),
        data_path=f"{path / 'data'}/",
        # Loaded once a machine and checked by DuckDB each time: lakes may share it.
        extension_directory=str(path.parent / "duckdb_extensions"),
        market=market,
        busy_attempts=busy_attempts,
    )


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
    """Return a whole table keyed by (symbol, session), in the order of its key."""
    return lake.read(f"SELECT * FROM {name} ORDER BY symbol, session")


def rebuilt_tables(
    daily_prices: pl.DataFrame, derivations: Sequence[Derivation] = DERIVATIONS
) -> dict[str, pl.DataFrame]:
    """Return every derived table as its query makes it of all rows, without lake or merge."""
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("SET TimeZone = 'UTC'; ATTACH ':memory:' AS lake; USE lake")
        tables = [derivation.table for derivation in derivations]
        for table in (DAILY_PRICES, EXCHANGE_SESSIONS, *tables):
            connection.execute(create_statement(table, catalog="lake"))
        _insert(connection, DAILY_PRICES, daily_prices)
        _insert(connection, EXCHANGE_SESSIONS, exchange_sessions())
        connection.execute(
            f"CREATE TEMP TABLE {CHANGES} AS "
            "SELECT symbol, min(session) AS from_session FROM daily_prices GROUP BY symbol"
        )
        for derivation in derivations:
            connection.execute(f"CREATE OR REPLACE TEMP TABLE {SCOPE} AS {derivation.scope}")
            rows = connection.sql(derivation.query).pl()
            made = rows if derivation.transform is None else derivation.transform(rows)
            _insert(connection, derivation.table, made)
        return {
            table.name: connection.sql(f"FROM {table.name} ORDER BY symbol, session").pl()
            for table in tables
        }


def _insert(connection: duckdb.DuckDBPyConnection, table: Table, rows: pl.DataFrame) -> None:
    """Add rows to a table of a plain DuckDB."""
    connection.register("rows_to_insert", rows.select(table.column_names).to_arrow())
    connection.execute(f"INSERT INTO {table.name} BY NAME FROM rows_to_insert")
    connection.unregister("rows_to_insert")
