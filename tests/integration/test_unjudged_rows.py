"""Checks judge what was written since a night was published, or all there is."""

from datetime import date
from pathlib import Path

import pytest

from pipelines.expectations.prices import CLEAN_PRICE_SUITE
from pipelines.tables import CLEAN_PRICES
from resources.lake import Lake
from resources.market import Market
from resources.nights import Nights
from resources.provenance import code_version
from resources.settings import PROJECT_ROOT
from resources.unjudged import unjudged_query
from tests.support.lake import night_of, temporary_lake
from tests.support.quality_tables import put

MONDAY, TUESDAY = date(2013, 2, 25), date(2013, 2, 26)


@pytest.fixture
def nights(tmp_path: Path) -> Nights:
    """A lake with a bad bar, and the bar of a night that was published to the end after it."""
    lake = temporary_lake(tmp_path / "lake")
    nights = Nights(lake=lake, market=Market(name="sample"))
    put(lake, "clean_prices", symbol="OLD", session=date(2013, 2, 1), volume=-1)
    put(lake, "clean_prices", symbol="IBM", session=MONDAY)
    nights.fix_snapshots(nights.open([MONDAY]))
    note_published(lake, code_version(PROJECT_ROOT))
    return nights


def note_published(lake: Lake, code: str) -> None:
    """Note that code has published every night to the end."""
    manifest = f'{{"code_version":"{code}"}}'
    statement = f"UPDATE nights SET is_published = true, manifest = '{manifest}'"
    lake.commit(lambda w: w.connection.execute(statement), night=night_of(), message="note")


def faults(nights: Nights, session: date = TUESDAY) -> dict[str, int]:
    """Return how many rows break each broken expectation, of the rows that a night judges."""
    lake, suite = nights.lake, CLEAN_PRICE_SUITE
    written = unjudged_query(CLEAN_PRICES, lake=lake, nights=nights, session=session)
    swept = lake.read(suite.sweep_query(written))["rows_against"].to_list()
    newest = lake.read(suite.newest_query(written), {"rows": 10})
    if written is not None:
        assert newest.height == lake.read(f"SELECT count(*) FROM ({written})").item()
    return {one.name: rows for one, rows in zip(suite.expectations, swept, strict=True) if rows}


def test_a_night_judges_what_was_written_since_the_one_before(nights: Nights) -> None:
    """Ten thousand symbols have fifty million rows, of which a night writes ten thousand."""
    assert faults(nights) == {}
    put(nights.lake, "clean_prices", symbol="IBM", session=TUESDAY, volume=-1)
    put(nights.lake, "clean_prices", symbol="FB", session=TUESDAY)
    assert faults(nights) == {"volume ≥ 0": 1}


def test_a_row_that_is_there_beside_an_older_one_is_told(nights: Nights) -> None:
    """Its twin was judged before, and was right then."""
    statement = f"INSERT INTO clean_prices FROM clean_prices WHERE session = '{MONDAY}'"
    nights.lake.commit(lambda w: w.connection.execute(statement), night=night_of(), message="again")
    assert faults(nights) == {"one row for each symbol, session": 2}


def test_all_rows_are_judged_by_other_code_and_at_the_start_of_a_week(nights: Nights) -> None:
    """Other checks have not seen them, and what came in beside the nights must be found."""
    whole = {"volume ≥ 0": 1}
    assert faults(nights, session=date(2013, 3, 4)) == whole
    note_published(nights.lake, "f" * 16)
    assert faults(nights) == whole
    statement = "UPDATE nights SET is_published = NULL, manifest = NULL"
    nights.lake.commit(lambda w: w.connection.execute(statement), night=night_of(), message="never")
    assert faults(nights) == whole
