"""Bringing a lake that an older Nightdesk made to the columns of `pipelines/tables.py`.

Tables that follow from others are dropped and made anew by the next night. Tables that hold what
can't be had again only ever gain columns, empty for the rows that are there.
"""

import duckdb

from pipelines.table import Table, create_statement, layout_statements
from pipelines.tables import CONSUMER_POSITIONS, TABLES
from resources.lake_errors import UpgradeError


def upgrade_statements(connection: duckdb.DuckDBPyConnection, catalog_path: str) -> list[str]:
    """Return the statements that bring the tables of the attached lake up to date.

    Raises:
        UpgradeError: a table would need values that nobody has.
    """
    held: dict[str, dict[str, str]] = {}
    for table, column, kind in connection.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() "
        "WHERE database_name = 'lake' ORDER BY column_index"
    ).fetchall():
        held.setdefault(table, {})[column] = kind
    statements, laid_out = [], _laid_out(connection)
    for name, table in TABLES.items():
        if name in held:
            changes = _table_statements(table, held[name], catalog_path)
            is_made_anew = any(statement.startswith("DROP") for statement in changes)
            if not is_made_anew and name not in laid_out:
                changes += layout_statements(table, catalog="lake")
            statements += changes
    return statements


def _laid_out(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """Return the tables of the attached lake whose files are cut by year."""
    return {
        name
        for (name,) in connection.execute(
            "SELECT table_name FROM __ducklake_metadata_lake.ducklake_partition_info AS layout "
            "JOIN __ducklake_metadata_lake.ducklake_table AS tables USING (table_id) "
            "WHERE layout.end_snapshot IS NULL AND tables.end_snapshot IS NULL"
        ).fetchall()
    }


def _table_statements(table: Table, held: dict[str, str], catalog_path: str) -> list[str]:
    """Return the statements for one table, none where it is as it should be."""
    wanted = {column.name: _kind(column.type) for column in table.columns}
    if wanted == held:
        return []
    if table.is_derived:
        return [
            f"DROP TABLE lake.{table.name}",
            create_statement(table, catalog="lake"),
            *layout_statements(table, catalog="lake"),
            f"DELETE FROM lake.{CONSUMER_POSITIONS.name} "
            f"WHERE consumer = '{table.name}' OR source = '{table.name}'",
        ]
    for column in table.columns:
        if column.name not in held and not column.nullable:
            fault = f"{table.name}.{column.name} has no value for old rows"
            raise UpgradeError(catalog_path, fault)
        if column.name in held and held[column.name] != wanted[column.name]:
            fault = f"{table.name}.{column.name} is {held[column.name]}, not {wanted[column.name]}"
            raise UpgradeError(catalog_path, fault)
    return [
        f"ALTER TABLE lake.{table.name} ADD COLUMN {column.name} {column.type}"
        for column in table.columns
        if column.name not in held
    ]


def _kind(declared: str) -> str:
    """Return a column type as DuckDB spells it in its catalog."""
    return "TIMESTAMP WITH TIME ZONE" if declared == "TIMESTAMPTZ" else declared
