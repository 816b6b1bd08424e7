"""The asking part of nights, as the asset does it: a real server, a real lake, a shared clock."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from pathlib import Path

import polars as pl

from pipelines.markets.recorded import RecordedMarket
from pipelines.nights import Night
from pipelines.vendor.answers import Account
from resources.alpha_vantage import AlphaVantage
from resources.company_ingestion import ingest_listings, ingest_overviews
from resources.index_ingestion import ingest_indexes
from resources.loopback_vendor import ServedRequest, serve
from resources.market import Market
from resources.nights import Nights
from resources.price_ingestion import IngestionReport, ingest_prices
from resources.vendor_agenda import agenda_of
from resources.vendor_archive import VendorArchive
from resources.vendor_faults import Fault
from resources.weekly_ingestion import ingest_weekly_prices
from tests.support.clocks import SteppingClock
from tests.support.lake import CALENDAR, temporary_lake

KEY = "SECRETKEY0123456"


def silent(_: str) -> None:
    """Report no progress."""


class VendorNights:
    """Nights of one desk that only ask and read."""

    def __init__(
        self,
        folder: Path,
        market: RecordedMarket,
        *,
        plan: str = "loopback",
        account: Account | None = None,
        preferred: Collection[str] = (),
    ) -> None:
        """Start with an empty lake."""
        self.market, self.preferred = market, preferred
        self.lake = temporary_lake(folder)
        self.nights = Nights(lake=self.lake, market=Market(name="sample"))
        self.archive = VendorArchive(lake=self.lake, metered_batch=25)
        self.vendor = AlphaVantage(
            api_key=KEY, plan=plan, attempts=2, first_wait_seconds=0.0, read_timeout_seconds=2.0
        )
        self.account = account or Account(plan=plan)
        self.clock = SteppingClock(CALENDAR.known_at(market.last_session))
        self.sent = 0
        self.reports: list[IngestionReport] = []
        self.outcomes: dict[str, int] = {}

    def run(
        self,
        session: date,
        universe: Sequence[str],
        *,
        faults: Mapping[str, Sequence[Fault | None]] | None = None,
        clock_step: float = 0.0,
    ) -> list[ServedRequest]:
        """Ask and read one night; return the server's log."""
        night = self.night(session)
        self.clock = SteppingClock(night.as_of, step=clock_step)
        agenda = agenda_of(
            night,
            universe,
            archive=self.archive,
            vendor=self.vendor,
            calendar=CALENDAR,
            clock=self.clock,
            preferred=self.preferred,
            indexes=self.market.index_symbols,
        )
        served: list[ServedRequest] = []
        with serve(
            self.market,
            today=session,
            account=self.account,
            faults=faults,
            served=served,
            now=self.clock.now,
        ) as base_url:
            answers = self.vendor.fetch(agenda, base_url=base_url, clock=self.clock)
            self.outcomes = self.archive.land(
                answers, night=night, progress=silent, plan=self.vendor.limits
            )
        self.sent += len(served)
        self.read(night)
        return served

    def read(self, night: Night) -> None:
        """Read what was landed into the tables."""
        report = ingest_prices(self.lake, night=night, calendar=CALENDAR, progress=silent)
        self.reports.append(report)
        ingest_listings(self.lake, night=night)
        ingest_overviews(self.lake, night=night)
        ingest_indexes(self.lake, night=night, calendar=CALENDAR)
        ingest_weekly_prices(self.lake, night=night, calendar=CALENDAR)

    def night(self, session: date) -> Night:
        """Return the night of a session, opening it the first time."""
        return self.nights.open([session])[-1]

    def stored(self) -> pl.DataFrame:
        """Return `daily_prices`, by symbol and session."""
        return self.lake.read("SELECT * FROM daily_prices ORDER BY symbol, session")
