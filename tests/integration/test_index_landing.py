"""Indexes from the vendor's protocol into the lake: over HTTP, by plan, night after night."""

from datetime import date
from pathlib import Path

import polars as pl

from pipelines.markets.recorded import RecordedMarket
from pipelines.markets.sample import load_sample_market
from tests.support.lake import CALENDAR
from tests.support.vendor_nights import VendorNights

DAYS = CALENDAR.sessions(date(2013, 2, 1), date(2013, 3, 1))


def short_market() -> RecordedMarket:
    """Return a month of IBM and of both sample indexes."""
    whole = load_sample_market()
    is_late = pl.col("session") >= DAYS[0]
    bars = whole.bars.filter(is_late & (pl.col("symbol") == "IBM"))
    return RecordedMarket("sample", "XNYS", bars, whole.indexes.filter(is_late))


def asked_indexes(nights: VendorNights, session: date) -> list[str]:
    """Run a night and return the indexes that it asked for."""
    served = nights.run(session, ["IBM"])
    return [one.query["symbol"] for one in served if one.query["function"] == "INDEX_DATA"]


def test_indexes_are_landed_and_known_since_their_night(tmp_path: Path) -> None:
    """A level of tonight must not be known yesterday, and a rerun has nothing to ask."""
    nights = VendorNights(tmp_path, short_market())
    assert asked_indexes(nights, DAYS[-2]) == ["COMP", "SPX"]
    assert asked_indexes(nights, DAYS[-2]) == []
    assert asked_indexes(nights, DAYS[-1]) == ["COMP", "SPX"]
    rows = nights.lake.read("SELECT * FROM index_prices WHERE symbol = 'SPX' ORDER BY session")
    assert rows["session"].to_list() == DAYS
    assert rows["close"][-1] == 1518.2
    assert rows["known_at"].to_list() == [CALENDAR.known_at(day) for day in DAYS]
    assert rows["known_at_basis"].to_list() == ["assumed"] * (len(DAYS) - 1) + ["observed"]
    assert set(nights.stored()["symbol"]) == {"IBM"}, "an index is no symbol of the universe"


def test_a_free_key_does_not_spend_requests_on_indexes(tmp_path: Path) -> None:
    """The vendor would refuse them: 2 of 25 requests a day for nothing."""
    nights = VendorNights(tmp_path, short_market(), plan="free")
    assert asked_indexes(nights, DAYS[-1]) == []
    assert nights.lake.read("SELECT count(*) FROM index_prices").item() == 0
