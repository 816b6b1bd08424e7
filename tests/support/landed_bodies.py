"""Nights that read bodies which a test writes, up to clean prices: a real lake, no vendor."""

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
from polars.testing import assert_frame_equal

from pipelines.markets.recorded import RecordedMarket
from pipelines.nights import Night
from pipelines.vendor.judgements import judge
from pipelines.vendor.requests import daily_request
from pipelines.vendor.responses import VendorResponse
from resources.market import Market
from resources.nights import Nights
from resources.price_ingestion import IngestionReport, ingest_prices
from resources.vendor_archive import VendorArchive
from tests.support.lake import (
    CALENDAR,
    DERIVATIONS,
    kept_rows,
    rebuilt_tables,
    table_of,
    temporary_lake,
)
from tests.support.vendor_bodies import daily_body


def silent(_: str) -> None:
    """Report no progress."""


def body_of(market: RecordedMarket, symbol: str, day: date) -> dict[str, Any]:
    """Return the full body of a symbol as seen on a day, to be changed by the test."""
    body: dict[str, Any] = json.loads(daily_body(market.as_seen_on(day).filter(symbol=symbol)))
    return body


def changed(body: dict[str, Any], days: list[date], **factors: float) -> dict[str, Any]:
    """Return a body with fields of some days multiplied, named as our columns."""
    series = {day: dict(bar) for day, bar in body["Time Series (Daily)"].items()}
    for day in days:
        bar = series[day.isoformat()]
        for name, factor in factors.items():
            field = next(key for key in bar if key.endswith(f". {name.replace('_', ' ')}"))
            bar[field] = repr(float(bar[field]) * factor)
    return {**body, "Time Series (Daily)": series}


class LandedNights:
    """Nights of one desk that read what the test lands."""

    def __init__(self, folder: Path) -> None:
        """Start with an empty lake."""
        self.lake = temporary_lake(folder)
        self.nights = Nights(lake=self.lake, market=Market(name="sample"))
        self.archive = VendorArchive(lake=self.lake)

    def night(self, session: date) -> Night:
        """Return the night of a session, opening it the first time."""
        return self.nights.open([session])[-1]

    def run(self, session: date, bodies: Mapping[str, dict[str, Any] | str]) -> IngestionReport:
        """Read one night's bodies, by symbol, and bring clean prices up to date."""
        report = self.ingest(session, bodies)
        self.derive(session)
        return report

    def ingest(self, session: date, bodies: Mapping[str, dict[str, Any] | str]) -> IngestionReport:
        """Land one night's bodies and read them into the prices."""
        night = self.night(session)
        responses = [_response(symbol, body, night) for symbol, body in bodies.items()]
        self.archive.land(responses, night=night, progress=silent)
        return ingest_prices(self.lake, night=night, calendar=CALENDAR, progress=silent)

    def derive(self, session: date) -> None:
        """Bring anomalies, quarantine and clean prices up to date."""
        for derivation in DERIVATIONS[:3]:
            self.lake.bring_up_to_date(derivation, night=self.night(session))

    def table(self, name: str) -> pl.DataFrame:
        """Return a table, by symbol and session."""
        return table_of(self.lake, name)


def assert_equals_scratch(desk: LandedNights) -> None:
    """Fail unless the tables up to clean prices are what their queries make of all rows."""
    rebuilt = rebuilt_tables(
        desk.table("daily_prices"),
        DERIVATIONS[:3],
        kept=kept_rows(desk.lake),
        sessions=desk.lake.read("SELECT * FROM exchange_sessions"),
    )
    for derivation in DERIVATIONS[:3]:
        name = derivation.table.name
        assert_frame_equal(desk.table(name), rebuilt[name])


def _response(symbol: str, body: dict[str, Any] | str, night: Night) -> VendorResponse:
    """Return a body as the answer to a question for a symbol's full history."""
    request = daily_request(symbol, "full")
    text = body if isinstance(body, str) else json.dumps(body)
    judgement = judge(request, text)
    return VendorResponse(request, night.as_of, judgement.outcome, judgement.message, text)
