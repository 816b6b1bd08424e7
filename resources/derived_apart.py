"""Derived tables computed apart from the lake, in memory: for questions that begin with "if"."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache

import duckdb
import polars as pl

from pipelines.derivation_batches import LAST_DAY
from pipelines.derivations import Derivation
from pipelines.table import Table, create_statement
from pipelines.tables import TABLES
from resources.lake_batches import stage_batch


def derived_apart(
    rows: Mapping[str, pl.DataFrame], derivations: Sequence[Derivation]
) -> dict[str, pl.DataFrame]:
    """Return derived tables as their derivations make them of all rows, by key.

    The computation is the lake's own, without its files and without a merge. One thread, so that
    the same rows give the same bits.

    Args:
        rows: Rows of the tables that they are derived from, by table; others are empty.
        derivations: In the order of the night.
    """
    with _database().cursor() as connection:
        connection.execute("SET TimeZone = 'UTC'; USE lake; BEGIN")
        for name, frame in rows.items():
            _insert(connection, TABLES[name], frame)
        for derivation in derivations:
            for made in _derived(connection, derivation):
                for table in derivation.tables:
                    _insert(connection, table, made)
        return {
            table.name: connection.execute(
                f"FROM {table.name} ORDER BY {', '.join(table.key)}"
            ).pl()
            for derivation in derivations
            for table in derivation.tables
        }


def _derived(
    connection: duckdb.DuckDBPyConnection, derivation: Derivation
) -> Iterator[pl.DataFrame]:
    """Yield all rows of what is derived; nothing, where the sources have none."""
    keys = " UNION ALL ".join(
        f"SELECT symbol, session FROM {source.name}" for source in derivation.sources
    )
    changes = connection.execute(
        f"SELECT symbol, min(session) AS from_session, DATE '{LAST_DAY}' AS to_session "
        f"FROM ({keys}) GROUP BY symbol"
    ).pl()
    if not changes.is_empty():
        yield stage_batch(connection, derivation, changes).rows()


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """Return a database that holds every table; it stays empty, since no one commits.

    Made once a process: anew for each question it took 18 of a small one's 45 ms.
    """
    database = duckdb.connect(config={"threads": 1})
    database.execute("ATTACH ':memory:' AS lake")
    database.execute(";".join(create_statement(table, catalog="lake") for table in TABLES.values()))
    return database


def _ordered(connection: duckdb.DuckDBPyConnection, table: Table) -> pl.DataFrame:
    """Return a table by key."""
    return connection.execute(f"FROM {table.name} ORDER BY {', '.join(table.key)}").pl()


def _insert(connection: duckdb.DuckDBPyConnection, table: Table, rows: pl.DataFrame) -> None:
    """Add rows to a table."""
    connection.register("rows_to_insert", rows.select(table.column_names).to_arrow())
    connection.execute(f"INSERT INTO {table.name} BY NAME FROM rows_to_insert")
    connection.unregister("rows_to_insert")
