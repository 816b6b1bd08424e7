"""The file that says which symbols the desk answers for."""

from datetime import date

import polars as pl
import pytest

from pipelines.universe import UniverseError, listed_on, read_universe

SESSION = date(2013, 3, 1)


def test_symbols_are_read_sorted_once_each_and_in_upper_case() -> None:
    """The order of a file must not change a document, nor a repetition ask the vendor twice."""
    text = "msft\n# the rest\n\n  BRK-B  # Berkshire\nBF.B\nMSFT\r\n"
    assert read_universe(text, source="u.txt").named == ("BF.B", "BRK-B", "MSFT")


@pytest.mark.parametrize("line", ["IBM, MSFT", "A/B", "--", "^GSPC"])
def test_a_line_that_is_no_symbol_is_named_with_its_number(line: str) -> None:
    """A list on one line would be asked of the vendor as one symbol."""
    with pytest.raises(UniverseError) as caught:
        read_universe(f"IBM\n{line}\n", source="u.txt")
    assert str(caught.value).startswith(f"u.txt, line 2: {line!r} is no symbol; write one symbol")


@pytest.mark.parametrize("text", ["", "# nothing yet\n\n"])
def test_a_file_without_a_symbol_is_refused(text: str) -> None:
    """A night of no symbols would succeed and publish nothing."""
    with pytest.raises(UniverseError, match=r"u\.txt names no symbol: write at least one"):
        read_universe(text, source="u.txt")


def test_a_symbol_is_not_listed_before_it_was_first_seen() -> None:
    """FB would get signals for the years before it existed."""
    first_sessions = {"FB": date(2012, 5, 18), "IBM": date(2000, 3, 1)}
    universe = ["FB", "IBM", "NEW"]
    assert listed_on(date(2012, 5, 17), universe, first_sessions) == ["IBM", "NEW"]
    assert listed_on(date(2012, 5, 18), universe, first_sessions) == ["FB", "IBM", "NEW"]


LISTINGS = pl.DataFrame(
    [
        ("AAA", "Active", "NYSE", "Stock", date(2001, 1, 2), None),
        ("ETF", "Active", "NYSE ARCA", "ETF", date(2010, 1, 4), None),
        ("NEW", "Active", "NASDAQ", "Stock", date(2013, 3, 1), None),
        ("OLD", "Delisted", "NYSE", "Stock", date(1990, 1, 2), date(2012, 6, 1)),
    ],
    schema=["symbol", "status", "exchange", "asset_type", "ipo_date", "delisting_date"],
    orient="row",
)


def members(text: str) -> list[str]:
    """Return the symbols of a YAML universe."""
    return read_universe(text, source="u.yaml").members(LISTINGS)


def test_a_yaml_universe_names_symbols_and_filters_listings() -> None:
    """ON and NO are tickers, which YAML takes for booleans."""
    assert members("symbols: [ON, no, brk-b]") == ["BRK-B", "NO", "ON"]
    assert members("listings: {asset_types: [Stock]}") == ["AAA", "NEW"]
    assert members("symbols: [ibm]\nlistings:\n  exchanges: [NYSE ARCA]\n") == ["ETF", "IBM"]
    assert members("listings:\n  active_on: 2012-05-31\n  exchanges: [NYSE]") == ["AAA", "OLD"]
    assert members("listings:\n") == ["AAA", "ETF", "NEW"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("symbols: IBM", "symbols is 'IBM'; write a list"),
        ("symbol: [IBM]", "'symbol' is no key; the keys are listings, symbols"),
        ("symbols: ['A B']", "'A B' is no symbol"),
        ("listings: {exchange: [NYSE]}", "'exchange' is no key"),
        ("listings: {active_on: May}", "active_on is 'May'; write a day"),
        ("- IBM", "is no mapping"),
        ("symbols: [", "is no YAML"),
        ("symbols: []", "names no symbol"),
        ("", "names no symbol"),
    ],
)
def test_a_wrong_yaml_universe_is_named(text: str, words: str) -> None:
    """A misspelt key would ask for nothing, or for a whole exchange."""
    with pytest.raises(UniverseError, match=r"u\.yaml") as refused:
        read_universe(text, source="u.yaml")
    assert words in str(refused.value)
