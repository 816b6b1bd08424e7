"""Nights in the lake are opened once, whoever opens them, and see all that their instant shows."""

import json
import shutil
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from pipelines.calendar import ExchangeCalendar
from pipelines.nights import Origin
from pipelines.vendor.requests import daily_request
from pipelines.vendor.responses import VendorResponse
from resources.lake import Lake
from resources.lake_attachment import detach
from resources.market import Market
from resources.nights import Nights, UnopenedNightError
from resources.price_ingestion import ingest_prices
from resources.vendor_archive import VendorArchive
from tests.support.lake import CALENDAR, SESSIONS, derive_all, temporary_lake
from tests.support.recorded_bars import bars_of
from tests.support.vendor_bodies import daily_body

SESSION = date(2013, 2, 20)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """One lake for the module; each test opens sessions of its own."""
    return temporary_lake(tmp_path_factory.mktemp("lakes") / "lake")


@pytest.fixture(scope="module")
def nights(lake: Lake) -> Nights:
    """The nights of the sample market."""
    return Nights(lake=lake, market=Market(name="sample"))


def test_a_night_is_opened_once_and_found_as_it_was(lake: Lake, nights: Nights) -> None:
    """A rerun would publish under another id, seen from another instant."""
    (opened,) = nights.open([SESSION])
    version = lake.version()
    later = nights.open([date(2013, 2, 21)])
    assert nights.open([SESSION]) == nights.find([SESSION]) == [opened]
    assert opened.as_of >= CALENDAR.known_at(SESSION)
    assert lake.version() > version
    assert nights.fix_snapshots([opened]) == nights.fix_snapshots([opened])
    assert nights.fix_snapshots(later)[later[0]] > nights.fix_snapshots([opened])[opened]


def test_a_night_that_was_found_is_not_looked_for_again(tmp_path: Path) -> None:
    """Some forty steps of a run ask for the same night, and each look is a trip to the catalog."""
    lake = temporary_lake(tmp_path / "lake")
    nights = Nights(lake=lake, market=Market(name="sample"))
    later = [date(2013, 2, 25), date(2013, 2, 26)]
    opened = nights.open(later)
    detach(lake.catalog.label)
    shutil.rmtree(tmp_path / "lake")
    assert nights.find(later) == opened
    with pytest.raises(UnopenedNightError, match="2013-02-22"):
        nights.find([date(2013, 2, 22), *later])


def test_a_night_that_another_process_opened_in_between_stays_as_it_is(nights: Nights) -> None:
    """Two commands started at once would each hold a night of another instant."""
    (first,) = nights.open([date(2013, 1, 15)])
    late = first.as_of.replace(minute=59)
    nights._store([type(first)(first.market, first.session, late, Origin.BACKFILL)])
    assert Nights(lake=nights.lake, market=nights.market).find([first.session]) == [first]


@pytest.mark.parametrize("day", [date(2013, 2, 18), date(2013, 2, 16)], ids=["holiday", "weekend"])
def test_a_day_without_trading_is_refused_in_words(nights: Nights, day: date) -> None:
    """The calendar library's own error names its parameters, and no way out."""
    with pytest.raises(ValueError, match=f"{day} is not a session of XNYS: .* is 2013-02-15"):
        nights.open([day])


def test_a_night_that_nobody_opened_is_named_with_the_way_out(nights: Nights) -> None:
    """A step alone, started in the UI for a session that never ran."""
    with pytest.raises(UnopenedNightError, match=r"2005-06-01 \(sample\) is not open: run vendor_"):
        nights.find([date(2005, 6, 1)])


def test_outputs_asked_for_alone_are_seen_from_the_newest_night(tmp_path: Path) -> None:
    """A backfill of the UI opens its sessions after the state run, which names none of them."""
    nights = Nights(lake=temporary_lake(tmp_path / "lake"), market=Market(name="sample"))
    (newest,) = nights.open([date(2013, 2, 28)])
    joined = nights.join([date(2013, 2, 26), date(2013, 2, 28)])
    assert joined[1] == newest
    assert joined[0].as_of == newest.as_of
    assert joined[0].origin is Origin.BACKFILL
    assert nights.join([date(2013, 2, 26)]) == joined[:1]


def test_outputs_of_a_session_that_the_lake_has_not_seen_are_refused(tmp_path: Path) -> None:
    """A live night whose state tables end before it would be published stale, for good."""
    nights = Nights(lake=temporary_lake(tmp_path / "lake"), market=Market(name="sample"))
    with pytest.raises(UnopenedNightError, match="2013-02-27"):
        nights.join([date(2013, 2, 27)])
    nights.open([date(2013, 2, 27)])
    with pytest.raises(UnopenedNightError, match="2013-02-28"):
        nights.join([date(2013, 2, 26), date(2013, 2, 28)])


def test_a_range_of_nights_has_one_clock_and_a_repeated_session_one_night(nights: Nights) -> None:
    """One run sees one lake."""
    first, last = date(2013, 2, 27), date(2013, 2, 28)
    opened = nights.open([last, first, last])
    assert [night.session for night in opened] == [first, last]
    assert {night.as_of for night in opened} == {CALENDAR.known_at(last)}
    assert [night.origin for night in opened] == [Origin.BACKFILL, Origin.LIVE]


def test_bars_after_the_session_of_a_backfill_are_no_strangers(tmp_path: Path) -> None:
    """A live market shows bars up to today, whatever session is run.

    The exchange's sessions must reach as far, or every later bar is quarantined for trading on a
    day that the exchange is closed, and stays so for good.
    """
    lake = temporary_lake(tmp_path / "lake", market="alpha_vantage")
    (night,) = Nights(lake=lake, market=Market(name="alpha_vantage")).open([SESSION])
    sessions = lake.read("SELECT session FROM exchange_sessions ORDER BY session")["session"]
    assert sessions[-1] == ExchangeCalendar.of("XNYS").last_completed(night.as_of)
    assert night.origin is Origin.BACKFILL

    days = SESSIONS[:5]
    bars = bars_of("IBM", [10.0, 11.0, 12.0, 0.0, 13.0]).with_columns(pl.Series("session", days))
    good = daily_body(bars)
    answers = [
        VendorResponse(daily_request(symbol, "full"), night.as_of, outcome, message, body)
        for symbol, outcome, message, body in (
            ("IBM", "data", None, good),
            ("FB", "timeout", "no answer in 30 s", None),
            ("GOOG", "data", None, json.dumps({"Meta Data": {}})),
            ("IBM", "data", None, good),
        )
    ]
    archive = VendorArchive(lake=lake)
    said: list[str] = []
    outcomes = archive.land(answers, night=night, progress=said.append)
    assert outcomes == {"data": 3, "timeout": 1}
    assert lake.read("SELECT count(*) FROM vendor_bodies").item() == 2
    report = ingest_prices(lake, night=night, calendar=CALENDAR, progress=said.append)
    assert (report.bodies, report.inserted, report.revised) == (3, 5, 0)
    assert [sentence.split(":")[0] for sentence in report.unreadable] == ["GOOG"]
    assert ingest_prices(lake, night=night, calendar=CALENDAR, progress=said.append).bodies == 0
    assert archive.latest_sessions() == {"IBM": days[-1]}
    assert archive.first_sessions() == {"IBM": days[0]}
    derive_all(lake)
    withheld = lake.read("SELECT session, rules FROM quarantined_prices")
    assert withheld.rows() == [(days[3], ["price_not_positive"])]
