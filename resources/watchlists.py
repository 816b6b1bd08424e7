"""What people watch and hold, landed in the lake: a night reads it there and nowhere else."""

from typing import Any

import dagster as dg

from pipelines.nights import Night
from pipelines.tables import WATCHLISTS
from pipelines.universe import Universe
from pipelines.watchlists import (
    COLLECTION,
    SYMBOL,
    WatchedSymbols,
    watched_symbols,
    watchlist_rows,
)
from resources.lake import Lake
from resources.lake_writer import LakeWriter
from resources.serving import Serving

WANTED_QUERY = """
    SELECT symbol FROM watchlists
    UNION
    SELECT unnest(json_keys(definition, '$.weights')) FROM portfolios
    WHERE reason IS NULL AND source <> 'universe'
    ORDER BY symbol
"""
"""A portfolio that can't be valued anyway asks for nothing, that of all symbols prefers none."""


class Watchlists(dg.ConfigurableResource[Any]):
    """The union of the symbols that the backend's users watch."""

    lake: dg.ResourceDependency[Lake]
    serving: dg.ResourceDependency[Serving]

    def land(self, *, night: Night) -> WatchedSymbols:
        """Copy the union into the lake as it stands now, and return it with the faults met.

        Where no server answers, what was landed before stands: the night can still ingest. What a
        later night has landed is not overwritten either.
        """
        from resources.mongodb import ServingUnavailableError

        try:
            with self.serving.connect() as database:
                found = list(database[COLLECTION].find({}, {"name": True, "symbols": True}))
        except ServingUnavailableError as error:
            fault = f"{error}; the watchlists of the night before stand"
            return WatchedSymbols(tuple(self.symbols()), (fault,))
        watched = watched_symbols(found)
        self.lake.commit(
            lambda writer: _replace(writer, watched, night=night),
            night=night,
            message=f"land {len(watched.symbols)} watched symbols",
        )
        return watched

    def symbols(self) -> list[str]:
        """Return the watched symbols as last landed, in alphabetical order."""
        return self.lake.read("SELECT symbol FROM watchlists ORDER BY symbol")["symbol"].to_list()

    def wanted(self) -> list[str]:
        """Return the symbols watched or held by a portfolio, as last landed, in order."""
        found = self.lake.read(WANTED_QUERY)["symbol"].to_list()
        return [symbol for symbol in found if SYMBOL.fullmatch(symbol)]

    def joined_with(self, universe: Universe) -> list[str]:
        """Return a universe with the wanted symbols in it, in alphabetical order."""
        listings = self.lake.read("SELECT * FROM listings") if universe.listed else None
        return sorted({*universe.members(listings), *self.wanted()})


def _replace(writer: LakeWriter, watched: WatchedSymbols, *, night: Night) -> None:
    """Make the table hold exactly the watched symbols, unless a later night has written it."""
    stored = writer.read("SELECT symbol, first_seen, landed_at FROM watchlists")
    if any(landed_at > night.as_of for landed_at in stored["landed_at"]):
        return
    first_seen = dict(zip(stored["symbol"], stored["first_seen"], strict=True))
    writer.connection.execute(
        "DELETE FROM watchlists WHERE NOT list_contains($symbols, symbol)",
        {"symbols": list(watched.symbols)},
    )
    writer.merge(WATCHLISTS, watchlist_rows(watched.symbols, first_seen, as_of=night.as_of))
