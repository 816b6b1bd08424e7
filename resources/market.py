"""Where the data comes from: its symbols, its clock and its vendor's address."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field

from pipelines.calendar import ExchangeCalendar
from pipelines.markets.indexes import INDEX_NAMES
from pipelines.markets.names import LAST_SAMPLE_SESSION, RECORDED_MARKETS, MarketName
from pipelines.markets.profiles import SAMPLE_PROFILES
from pipelines.markets.recorded import RecordedMarket
from pipelines.markets.simulation.settings import STRENGTH, SimulationSettings
from pipelines.universe import Universe, read_universe
from resources.alpha_vantage import LIVE_ADDRESS
from resources.clocks import Clock, StandingClock, WallClock


class Market(dg.ConfigurableResource[Any]):
    """A market by its name. A recorded one is served by a vendor of its own on loopback."""

    name: str = Field(description="sample, simulated (both recorded) or alpha_vantage.")
    exchange: str = Field(default="XNYS", description="ISO 10383 code of the exchange.")
    universe_file: str = Field(
        default="",
        description="Text or YAML file; empty means every symbol of a recorded market.",
    )
    simulated_symbols: int = Field(default=40, ge=1, description="Symbols of the simulated market.")
    simulated_sessions: int = Field(default=1000, ge=2, description="Its sessions from 2000 on.")
    simulated_seed: int = Field(default=1, ge=0, description="Seed of the simulated market.")
    simulated_strength: float = Field(
        default=STRENGTH, ge=0, description="Deviation of its planted log-odds; 0 is pure noise."
    )

    @property
    def calendar(self) -> ExchangeCalendar:
        """The exchange's sessions."""
        return ExchangeCalendar.of(self.exchange)

    @property
    def is_recorded(self) -> bool:
        """Whether the market is a recording, whose clock stands where one puts it."""
        return MarketName(self.name) in RECORDED_MARKETS

    @property
    def simulation(self) -> SimulationSettings:
        """What the simulated market is made from."""
        return SimulationSettings(
            symbols=self.simulated_symbols,
            sessions=self.simulated_sessions,
            seed=self.simulated_seed,
            strength=self.simulated_strength,
            exchange=self.exchange,
        )

    @property
    def last_recorded_session(self) -> date | None:
        """Where a recording ends; a live market goes on."""
        if not self.is_recorded:
            return None
        if MarketName(self.name) is MarketName.SIMULATED:
            return self.simulation.days[-1]
        return LAST_SAMPLE_SESSION

    def universe(self) -> Universe:
        """Return the symbols to keep up to date, as they are named or by their listings."""
        if self.universe_file:
            path = Path(self.universe_file)
            return read_universe(path.read_text(encoding="utf-8"), source=str(path))
        return Universe(self._recording().symbols)

    def indexes(self) -> tuple[str, ...]:
        """Return the indexes to keep up to date."""
        return self._recording().index_symbols if self.is_recorded else tuple(INDEX_NAMES)

    def clock(self, as_of: datetime) -> Clock:
        """Return the clock that a night asks the vendor by; a recording's stands still."""
        return StandingClock(as_of) if self.is_recorded else WallClock()

    def now(self, session: date, *, latest_as_of: datetime | None) -> datetime:
        """Return the instant that a night run for a session is seen from.

        A live market has the clock on the wall. A recording is replayed: its clock stands where
        the session's bars are final, and never goes back behind a night that was run before.
        """
        if not self.is_recorded:
            return datetime.now(UTC)
        # A day that is no session is refused in words where its night is opened.
        final = self.calendar.known_at(self.calendar.at_or_before(session))
        return max(final, latest_as_of) if latest_as_of else final

    def last_completed_session(self) -> date:
        """Return the newest session whose bars are final."""
        return self.last_recorded_session or self.calendar.last_completed(datetime.now(UTC))

    @contextmanager
    def vendor(self, as_of: datetime) -> Iterator[str]:
        """Give the vendor's address for the length of a `with` block.

        For a recording, a server on loopback speaks the vendor's protocol as of that instant.
        """
        if not self.is_recorded:
            yield LIVE_ADDRESS
            return
        from resources.loopback_vendor import serve

        today = self.calendar.last_completed(as_of)
        with serve(self._recording(), today=today, profiles=SAMPLE_PROFILES) as vendor:
            yield vendor

    def _recording(self) -> RecordedMarket:
        """Return the recording behind the market's name."""
        if MarketName(self.name) is MarketName.SIMULATED:
            return _simulated(self.simulation)
        from pipelines.markets.sample import load_sample_market

        return load_sample_market()


@lru_cache(maxsize=1)
def _simulated(settings: SimulationSettings) -> RecordedMarket:
    """Make the simulated market once a process: a night asks for it several times."""
    from pipelines.markets.simulated import simulate_market

    return simulate_market(settings)[0]
