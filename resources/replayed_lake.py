"""The lake as a night found it, with what the night made of it taken out again.

State tables are read from the lake at the night's version; tables of a night's outputs are copies
in memory without the night's own rows, so that a replay has to make them. Nothing reaches the lake.
"""

import duckdb
from pydantic import Field
from typing_extensions import override

from pipelines.table import Table, create_statement
from resources.past_lake import PastLake

OUTPUTS = (
    *("signal_scores", "signal_changes", "regime_states", "track_records"),
    "family_records",
    *("portfolio_forecasts", "portfolio_forecast_history"),
)
"""Tables that a night makes rows of by its session, from state and models."""


class ReplayedLake(PastLake):
    """A night's version of the lake without what the night made."""

    session: str = Field(description="The night's session, ISO date; its outputs are left out.")

    @override
    def _lay_out(self, connection: duckdb.DuckDBPyConnection, table: Table, *, kept: str) -> None:
        """Leave the night's own rows out of its outputs."""
        if table.name not in OUTPUTS:
            super()._lay_out(connection, table, kept=kept)
            return
        connection.execute(create_statement(table, catalog="lake"))
        connection.execute(
            f"INSERT INTO {table.name} BY NAME {kept} WHERE session <> $session::DATE",
            {"session": self.session},
        )
