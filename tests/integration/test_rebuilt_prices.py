"""The same history however often it is read, and what the vendor says of companies."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines.markets.recorded import RecordedMarket
from pipelines.markets.sample import load_sample_market
from pipelines.tables import DAILY_PRICES
from resources.lake_writer import LakeWriter
from resources.price_ingestion import rebuild_prices
from tests.support.lake import CALENDAR
from tests.support.vendor_nights import VendorNights, silent

SESSIONS = CALENDAR.sessions(date(2012, 7, 2), date(2012, 9, 28))
LAST = SESSIONS[-1]


@pytest.fixture(scope="module")
def market() -> RecordedMarket:
    """Some months of the sample market, AAPL's dividend of August 2012 among them."""
    bars = load_sample_market().bars
    return RecordedMarket("sample", "XNYS", bars.filter(bars["session"] >= date(2012, 6, 1)))


def history(folder: Path, market: RecordedMarket, plan: str) -> VendorNights:
    """Return a desk after nights spread over the months."""
    nights = VendorNights(folder, market, plan=plan)
    for session in [*SESSIONS[::30], LAST]:
        nights.run(session, list(market.symbols))
    return nights


@pytest.mark.slow
@pytest.mark.parametrize("plan", ["loopback", "free"])
def test_prices_are_made_anew_from_landed_bodies(
    plan: str, market: RecordedMarket, tmp_path: Path
) -> None:
    """A mended parser must not cost a thousand requests, nor change what was right."""
    nights = history(tmp_path, market, plan)
    right = nights.stored()
    sent = nights.sent

    def spoil(writer: LakeWriter) -> None:
        writer.connection.execute("UPDATE daily_prices SET close = 1 WHERE symbol = 'IBM'")
        writer.connection.execute("DELETE FROM daily_prices WHERE symbol = 'MSFT'")
        writer.connection.execute(
            "INSERT INTO daily_prices SELECT * REPLACE (DATE '2012-06-02' AS session) "
            "FROM daily_prices WHERE symbol = 'AAPL' LIMIT 1"
        )

    night = nights.night(LAST)
    nights.lake.commit(spoil, night=night, message="a parser of the past")
    report = rebuild_prices(nights.lake, night=night, calendar=CALENDAR, progress=silent)
    assert (report.unreadable, report.deleted, nights.sent) == ([], 1, sent)
    assert_frame_equal(nights.stored(), right)
    again = rebuild_prices(nights.lake, night=night, calendar=CALENDAR, progress=silent)
    assert (again.inserted, again.revised, again.deleted) == (0, 0, 0)
    assert right.columns == list(DAILY_PRICES.column_names)


def test_listings_and_overviews_are_landed_and_read(market: RecordedMarket, tmp_path: Path) -> None:
    """Sector and delisting knowledge, asked for rarely."""
    gone = market.bars.filter((pl.col("symbol") != "FB") | (pl.col("session") < date(2012, 7, 10)))
    shrunk = RecordedMarket("sample", "XNYS", gone)
    nights = VendorNights(tmp_path, shrunk)
    functions = {}
    for session in (SESSIONS[0], SESSIONS[1], LAST):
        served = nights.run(session, list(market.symbols))
        functions[session] = {one.query["function"] for one in served}
    assert functions[SESSIONS[0]] >= {"LISTING_STATUS", "OVERVIEW"}
    assert not functions[SESSIONS[1]] & {"LISTING_STATUS", "OVERVIEW"}
    assert "LISTING_STATUS" in functions[LAST]
    assert "OVERVIEW" not in functions[LAST]
    listed = nights.archive.listings()
    assert dict(listed.select("symbol", "status").iter_rows()) == {
        "AAPL": "Active",
        "FB": "Delisted",
        "GOOG": "Active",
        "IBM": "Active",
        "MSFT": "Active",
    }
    assert nights.archive.knowledge().delisted == {"FB": date(2012, 7, 9)}
    known_since = dict(listed.select("symbol", "known_at").iter_rows())
    assert known_since["IBM"] == CALENDAR.known_at(SESSIONS[0]), "said the same ever since"
    overviews = nights.lake.read("SELECT * FROM company_overviews ORDER BY symbol")
    assert overviews["symbol"].to_list() == list(market.symbols)
    assert overviews.schema["sector"] == pl.String
