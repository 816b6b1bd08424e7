"""Watchlists are written by strangers: what can be read is read, the rest is named."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipelines.tables import WATCHLISTS
from pipelines.watchlists import watched_symbols, watchlist_rows

AS_OF = datetime(2013, 3, 2, 1, tzinfo=UTC)


def test_symbols_of_all_lists_are_joined_in_upper_case() -> None:
    """Two users who watch one symbol must not spend two requests on it."""
    watched = watched_symbols(
        [{"name": "one", "symbols": [" msft", "BRK.B"]}, {"name": "two", "symbols": ["MSFT"]}]
    )
    assert watched.symbols == ("BRK.B", "MSFT")
    assert watched.faults == ()


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ({"name": "tech", "_id": 7, "symbols": "AAPL"}, "'tech' (7) is skipped.*'AAPL' (str)"),
        ({"name": "tech", "symbols": None}, "is skipped: its symbols are no list but None"),
        ({}, "watchlist None (None) is skipped"),
        ({"name": "tech", "symbols": [["AAPL"]]}, "['AAPL'] (list) is no symbol"),
        ({"name": "tech", "symbols": [{"$ne": 1}]}, "(dict) is no symbol"),
        ({"name": "tech", "symbols": [""]}, "'' (str) is no symbol"),
        ({"name": "tech", "symbols": ["A&apikey=x"]}, "is no symbol"),
        ({"name": "tech", "symbols": ["A" * 33]}, "is no symbol"),
    ],
)
def test_what_cannot_be_read_is_named_and_skipped(document: dict[str, Any], fault: str) -> None:
    """One user's broken list must not stop the night of all others."""
    watched = watched_symbols([document, {"name": "good", "symbols": ["IBM"]}])
    assert watched.symbols == ("IBM",)
    (named,) = watched.faults
    for part in fault.split(".*"):
        assert part in named


def test_a_symbol_keeps_the_instant_at_which_it_was_first_seen() -> None:
    """The planner may ask first for what has waited longest."""
    earlier = AS_OF - timedelta(days=1)
    rows = watchlist_rows(["IBM", "MSFT"], {"IBM": earlier, "GONE": earlier}, as_of=AS_OF)
    assert tuple(rows.columns) == WATCHLISTS.column_names
    assert rows.rows() == [("IBM", earlier, AS_OF), ("MSFT", AS_OF, AS_OF)]
