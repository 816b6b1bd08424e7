"""What a lake table is, and the columns that many of them share.

The tables themselves stand in `pipelines.tables`.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """One column: its DuckDB type and what a value means, unit included."""

    name: str
    type: str
    description: str
    nullable: bool = False


@dataclass(frozen=True)
class Table:
    """One lake table.

    Attributes:
        name: The table.
        description: What a row is.
        key: The columns that identify a row; a check asserts it.
        columns: All columns, in order.
        is_derived: Whether it can be made anew from other tables, so that a lake whose columns are
            of an older Nightdesk is upgraded by doing so.
        is_history: Whether it holds many symbols over many sessions: its files are cut by year
            and ordered by symbol and session.
    """

    name: str
    description: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    is_derived: bool = False
    is_history: bool = False

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the columns, in the order of the table."""
        return tuple(column.name for column in self.columns)

    @property
    def value_names(self) -> tuple[str, ...]:
        """Names of the columns outside the key."""
        return tuple(name for name in self.column_names if name not in self.key)


def create_statement(table: Table, *, catalog: str) -> str:
    """Return the DDL that creates a table in a catalog where it does not exist yet."""
    columns = ", ".join(
        f"{column.name} {column.type}{'' if column.nullable else ' NOT NULL'}"
        for column in table.columns
    )
    return f"CREATE TABLE IF NOT EXISTS {catalog}.{table.name} ({columns})"


def layout_statements(table: Table, *, catalog: str) -> list[str]:
    """Return the statements that give a history its layout, for what is written from then on.

    A night reads and writes the newest sessions, a rebuild some symbols over all of them.
    """
    if not table.is_history:
        return []
    return [
        f"ALTER TABLE {catalog}.{table.name} SET PARTITIONED BY (year(session))",
        f"ALTER TABLE {catalog}.{table.name} SET SORTED BY (symbol ASC, session ASC)",
    ]


IN_SESSIONS = (
    "session BETWEEN list_min($sessions) AND list_max($sessions) "
    "AND list_contains($sessions, session)"
)
"""Condition on rows of some sessions: by the bounds, whole files are left unread."""

SYMBOL = Column("symbol", "VARCHAR", "Ticker, upper case.")
SESSION = Column("session", "DATE", "Trading day of the exchange calendar.")
KNOWN_AT = Column("known_at", "TIMESTAMPTZ", "First instant at which we could have known the row.")

BAR_COLUMNS = (
    Column("open", "DOUBLE", "First price of the session as traded, in dollars."),
    Column("high", "DOUBLE", "Highest price of the session as traded, in dollars."),
    Column("low", "DOUBLE", "Lowest price of the session as traded, in dollars."),
    Column("close", "DOUBLE", "Last price of the session as traded, in dollars."),
    Column("volume", "BIGINT", "Shares traded in the session, not adjusted."),
    Column(
        "adjusted_close",
        "DOUBLE",
        "The vendor's close adjusted for later splits and dividends, in dollars: its past changes "
        "at every dividend, so it is published but never an input.",
    ),
    Column("dividend_amount", "DOUBLE", "Cash dividend whose ex-date this is, dollars a share."),
    Column("split_coefficient", "DOUBLE", "New shares for one old share this session; 1 if none."),
)

REVISION_COLUMNS = (
    KNOWN_AT,
    Column("known_at_basis", "VARCHAR", "'observed', or 'assumed' for history loaded at first."),
    Column("revision", "INTEGER", "1 for the first sight, one more for each change by the vendor."),
    Column("response_id", "BIGINT", "The vendor response that the row was last changed by."),
)
