"""Watchlists are landed in the lake with their night; what is broken in them stops nobody."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from pipelines.universe import Universe
from resources.lake import Lake
from resources.serving import Serving
from resources.watchlists import Watchlists
from tests.support.lake import night_of, temporary_lake

FIRST, SECOND = night_of(date(2013, 2, 28)), night_of(date(2013, 3, 1))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A lake of the test's own."""
    return temporary_lake(tmp_path)


@pytest.fixture
def watchlists(lake: Lake, serving: Serving) -> Watchlists:
    """The resource on the test's own lake and database."""
    return Watchlists(lake=lake, serving=serving)


def rows(lake: Lake) -> dict[str, tuple[Any, Any]]:
    """Return what the lake holds, by symbol."""
    found = lake.read("SELECT symbol, first_seen, landed_at FROM watchlists").iter_rows()
    return {symbol: (first_seen, landed_at) for symbol, first_seen, landed_at in found}


def test_a_missing_collection_is_an_empty_list(watchlists: Watchlists) -> None:
    """A backend whose users watch nothing has no collection at all."""
    watched = watchlists.land(night=FIRST)
    assert (watched.symbols, watched.faults, watchlists.symbols()) == ((), (), [])
    assert watchlists.joined_with(Universe(("IBM",))) == ["IBM"]


def test_the_union_of_all_lists_is_landed_with_its_night(
    watchlists: Watchlists, lake: Lake, database: Database[dict[str, Any]]
) -> None:
    """A symbol keeps the instant it was first seen, and leaves when nobody watches it."""
    database["watchlists"].insert_many(
        [
            {"name": "one", "symbols": ["msft", "TSLA"], "user_id": "a"},
            {"name": "two", "symbols": ["TSLA"], "description": None},
            {"name": "broken", "symbols": 7},
        ]
    )
    (fault,) = watchlists.land(night=FIRST).faults
    assert "'broken'" in fault
    assert rows(lake) == dict.fromkeys(("MSFT", "TSLA"), (FIRST.as_of, FIRST.as_of))
    database["watchlists"].update_one({"name": "one"}, {"$set": {"symbols": ["AMZN"]}})
    watchlists.land(night=SECOND)
    assert rows(lake) == {
        "AMZN": (SECOND.as_of, SECOND.as_of),
        "TSLA": (FIRST.as_of, SECOND.as_of),
    }
    assert watchlists.joined_with(Universe(("IBM", "TSLA"))) == ["AMZN", "IBM", "TSLA"]


def test_an_earlier_night_run_again_does_not_take_the_list_back(
    watchlists: Watchlists, lake: Lake, database: Database[dict[str, Any]]
) -> None:
    """Its instant lies before what the lake has seen."""
    database["watchlists"].insert_one({"name": "one", "symbols": ["TSLA"]})
    watchlists.land(night=SECOND)
    database["watchlists"].update_one({}, {"$set": {"symbols": ["AMZN"]}})
    watchlists.land(night=FIRST)
    assert rows(lake) == {"TSLA": (SECOND.as_of, SECOND.as_of)}


def test_without_a_server_the_last_list_stands(
    watchlists: Watchlists, lake: Lake, database: Database[dict[str, Any]]
) -> None:
    """The night can still ingest: what it fetches was paid for."""
    database["watchlists"].insert_one({"name": "one", "symbols": ["TSLA"]})
    watchlists.land(night=FIRST)
    nobody = Serving(uri="mongodb://127.0.0.1:9/", connect_seconds=0.1)
    watched = Watchlists(lake=lake, serving=nobody).land(night=SECOND)
    assert watched.symbols == ("TSLA",)
    assert "the watchlists of the night before stand" in watched.faults[0]
