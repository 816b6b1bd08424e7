"""The vendor's weekly bars check its daily ones: asked over HTTP, landed, judged, told."""

from datetime import date
from pathlib import Path

import polars as pl

from pipelines.anomalies.sightings import FOUND_NOW
from pipelines.anomalies.weekly_derivation import WEEKLY_ANOMALIES_DERIVATION
from pipelines.markets.recorded import RecordedMarket
from pipelines.markets.sample import load_sample_market
from resources.vendor_faults import Fault
from tests.support.lake import CALENDAR
from tests.support.vendor_nights import VendorNights

WEDNESDAY, THURSDAY, FRIDAY = date(2013, 2, 27), date(2013, 2, 28), date(2013, 3, 1)
WRONG = date(2012, 10, 17)


def sample(first: date = date(2012, 9, 5)) -> RecordedMarket:
    """Return half a year of IBM, beginning within a week."""
    bars = load_sample_market().bars
    wanted = (pl.col("symbol") == "IBM") & (pl.col("session") >= first)
    return RecordedMarket("sample", "XNYS", bars.filter(wanted))


def with_twice_the_volume(market: RecordedMarket, day: date) -> RecordedMarket:
    """Return a market in which one day's volume is another."""
    volume = pl.when(pl.col("session") == day).then(pl.col("volume") * 2).otherwise("volume")
    return RecordedMarket("sample", "XNYS", market.bars.with_columns(volume=volume))


def judged(nights: VendorNights, session: date) -> pl.DataFrame:
    """Bring the judgements up to date and return them."""
    nights.lake.bring_up_to_date(WEEKLY_ANOMALIES_DERIVATION, night=nights.night(session))
    return nights.lake.read("SELECT * FROM weekly_anomalies ORDER BY session")


def functions(nights: VendorNights, session: date) -> list[str]:
    """Run a night and return what was asked about weeks."""
    served = nights.run(session, ["IBM"])
    return [one.query["function"] for one in served if "WEEKLY" in one.query["function"]]


def test_weekly_bars_are_asked_for_weekly_and_agree_with_the_days(tmp_path: Path) -> None:
    """The running week is partial, the first one began before our history: neither is a fault."""
    nights = VendorNights(tmp_path, sample())
    asked = [functions(nights, day) for day in (date(2013, 2, 20), WEDNESDAY, THURSDAY, FRIDAY)]
    assert asked == [["TIME_SERIES_WEEKLY_ADJUSTED"], [], ["TIME_SERIES_WEEKLY_ADJUSTED"], []]
    weeks = nights.lake.read("SELECT session, known_at FROM weekly_prices ORDER BY session")
    assert weeks["session"].to_list()[-3:] == [date(2013, 2, 15), date(2013, 2, 22), THURSDAY]
    assert weeks["known_at"][-1] == CALENDAR.known_at(THURSDAY)
    assert judged(nights, FRIDAY).is_empty()


def test_a_weekly_bar_that_disagrees_is_found_and_withdrawn_when_corrected(tmp_path: Path) -> None:
    """Either the week or one of its days is wrong; a person is told, nothing is withheld."""
    right = sample()
    nights = VendorNights(tmp_path, with_twice_the_volume(right, WRONG))
    nights.run(WEDNESDAY, ["IBM"], faults={"IBM": [None, None, Fault.GARBLED]})
    assert nights.lake.read("SELECT count(*) FROM weekly_prices").item() == 0
    nights.market = right
    assert functions(nights, WEDNESDAY) == ["TIME_SERIES_WEEKLY_ADJUSTED"]
    found = judged(nights, WEDNESDAY)
    assert found.select("session", "data_type", "anomaly_type", "is_withheld").rows() == [
        (date(2012, 10, 19), "weekly", "weekly_mismatch", False)
    ]
    assert found["message"][0].startswith("volume of the week to 2012-10-19")
    told = nights.lake.read(f"SELECT * FROM ({FOUND_NOW.replace('{at}', '')})")
    assert told.filter(data_type="weekly")["session"].to_list() == [date(2012, 10, 19)]
    nights.run(THURSDAY, ["IBM"])  # its compact answer corrects the day
    assert judged(nights, THURSDAY).is_empty()


def test_a_week_with_a_missing_day_is_not_judged(tmp_path: Path) -> None:
    """The gap is named by its own rule; the week would only echo it."""
    right = sample()
    gap = right.bars.filter(pl.col("session") != WRONG)
    nights = VendorNights(tmp_path, RecordedMarket("sample", "XNYS", gap))
    nights.run(WEDNESDAY, ["IBM"], faults={"IBM": [None, None, Fault.GARBLED]})
    nights.market = right
    assert functions(nights, WEDNESDAY) == ["TIME_SERIES_WEEKLY_ADJUSTED"]
    assert judged(nights, WEDNESDAY).is_empty()
