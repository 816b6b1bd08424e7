"""Where the data comes from: its symbols, its clock and its vendor's address."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field

from pipelines.calendar import ExchangeCalendar
from pipelines.markets.names import LAST_RECORDED_SESSION, MarketName
from pipelines.markets.recorded import RecordedMarket
from pipelines.universe import read_universe
from resources.alpha_vantage import LIVE_ADDRESS


class Market(dg.ConfigurableResource[Any]):
    """A market by its name. A recorded one is served by a vendor of its own on loopback."""

    name: str = Field(description="sample (recorded) or alpha_vantage (live).")
    exchange: str = Field(default="XNYS", description="ISO 10383 code of the exchange.")
    universe_file: str = Field(
        default="",
        description="File with a symbol a line; empty means every symbol of a recorded market.",
    )

    @property
    def calendar(self) -> ExchangeCalendar:
        """The exchange's sessions."""
        return ExchangeCalendar.of(self.exchange)

    @property
    def is_recorded(self) -> bool:
        """Whether the market is a recording, whose clock stands where one puts it."""
        return MarketName(self.name) in LAST_RECORDED_SESSION

    def universe(self) -> list[str]:
        """Return the symbols to keep up to date, in alphabetical order."""
        if self.universe_file:
            path = Path(self.universe_file)
            return read_universe(path.read_text(encoding="utf-8"), source=str(path))
        return list(self._recording().symbols)

    def now(self, session: date, *, latest_as_of: datetime | None) -> datetime:
        """Return the instant that a night run for a session is seen from.

        A live market has the clock on the wall. A recording is replayed: its clock stands where
        the session's bars are final, and never goes back behind a night that was run before.
        """
        if not self.is_recorded:
            return datetime.now(UTC)
        final = self.calendar.known_at(session)
        return max(final, latest_as_of) if latest_as_of else final

    def last_completed_session(self) -> date:
        """Return the newest session whose bars are final."""
        if self.is_recorded:
            return LAST_RECORDED_SESSION[MarketName(self.name)]
        return self.calendar.last_completed(datetime.now(UTC))

    @contextmanager
    def vendor(self, as_of: datetime) -> Iterator[str]:
        """Give the vendor's address for the length of a `with` block.

        For a recording, a server on loopback speaks the vendor's protocol as of that instant.
        """
        if not self.is_recorded:
            yield LIVE_ADDRESS
            return
        from resources.loopback_vendor import serve

        with serve(self._recording(), today=self.calendar.last_completed(as_of)) as vendor:
            yield vendor

    def _recording(self) -> RecordedMarket:
        """Return the recording behind the market's name."""
        from pipelines.markets.sample import load_sample_market

        return load_sample_market()
