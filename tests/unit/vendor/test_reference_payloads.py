"""Dividends, splits, overviews and listings are read as a whole or not at all."""

import json
from datetime import date

import pytest

from pipelines.vendor.actions import parse_dividends, parse_splits
from pipelines.vendor.judgements import judge
from pipelines.vendor.listings import LISTING_HEADER, letters_of_refusal, parse_listings
from pipelines.vendor.overviews import parse_overview
from pipelines.vendor.payloads import UnreadableBody, parse_daily
from pipelines.vendor.requests import VendorRequest, listing_request


def dividend(day: str, amount: str, **others: str) -> dict[str, str]:
    """Return a row of DIVIDENDS."""
    return {"ex_dividend_date": day, "declaration_date": "None", "amount": amount, **others}


def dividends(*rows: object, symbol: str = "IBM") -> str:
    """Return a body of DIVIDENDS."""
    return json.dumps({"symbol": symbol, "data": list(rows)})


def test_dividends_of_one_day_are_added_and_a_repeated_row_is_one() -> None:
    """A special dividend falls on the day of the regular one; the vendor repeats rows."""
    regular, special = dividend("2004-11-15", "0.0800"), dividend("2004-11-15", "3.0000")
    frame = parse_dividends(
        dividends(dividend("2005-02-15", "0.08"), special, regular, regular), symbol="IBM"
    )
    assert frame.rows() == [
        ("IBM", date(2004, 11, 15), pytest.approx(3.08)),
        ("IBM", date(2005, 2, 15), 0.08),
    ]


def test_no_dividend_is_an_answer() -> None:
    """Most symbols have never paid one."""
    assert parse_dividends(dividends(), symbol="IBM").is_empty()
    assert parse_splits('{"symbol": "IBM", "data": []}', symbol="IBM").is_empty()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (dividends(symbol="MSFT"), "'symbol' is 'MSFT', not 'IBM'"),
        ('{"symbol": "IBM"}', "'data' is None, not a list of rows"),
        (dividends("row"), "not a list of rows"),
        (dividends(dividend("None", "1.0")), "'None' is not a date"),
        (dividends(dividend("2004-2-1", "1.0")), "'2004-2-1' is not a date"),
        (dividends(dividend("2004-02-01", "None")), "'amount' is 'None', not a number"),
        (dividends(dividend("2004-02-01", "-1.0")), "below 0"),
        (dividends({"amount": "1.0"}), "'ex_dividend_date' is None, not a text"),
        ("<html>", "not JSON, or cut short"),
        ("{}", "'symbol' is None"),
    ],
)
def test_dividends_with_a_fault_are_refused_by_name(body: str, words: str) -> None:
    """A dividend that is made up is a return that nobody earned."""
    with pytest.raises(UnreadableBody, match="the vendor's dividends can't be read") as refused:
        parse_dividends(body, symbol="IBM")
    assert words in str(refused.value)


def splits(*rows: tuple[str, str]) -> str:
    """Return a body of SPLITS."""
    data = [{"effective_date": day, "split_factor": factor} for day, factor in rows]
    return json.dumps({"symbol": "IBM", "data": data})


def test_splits_are_read_oldest_first() -> None:
    """Reverse splits are below one."""
    frame = parse_splits(splits(("2005-02-28", "2.0000"), ("1999-01-04", "0.1000")), symbol="IBM")
    assert frame.rows() == [("IBM", date(1999, 1, 4), 0.1), ("IBM", date(2005, 2, 28), 2.0)]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (splits(("2005-02-28", "0")), "not above 0"),
        (splits(("2005-02-28", "2:1")), "'2:1', not a number"),
        (splits(("2005-02-28", "2.0"), ("2005-02-28", "3.0")), "2005-02-28 occurs twice"),
    ],
)
def test_splits_with_a_fault_are_refused_by_name(body: str, words: str) -> None:
    """A split by zero would make every later price nothing."""
    with pytest.raises(UnreadableBody) as refused:
        parse_splits(body, symbol="IBM")
    assert words in str(refused.value)


OVERVIEW = {
    "Symbol": "IBM",
    "AssetType": "Common Stock",
    "Name": "International Business Machines",
    "Exchange": "NYSE",
    "Sector": "TECHNOLOGY",
    "Industry": "None",
}


def test_an_overview_has_null_for_what_the_vendor_does_not_know() -> None:
    """The vendor writes None and - as text; an unknown symbol is an empty object."""
    row = parse_overview(json.dumps(OVERVIEW | {"Sector": "-"}), symbol="IBM").row(0, named=True)
    assert row["name"] == "International Business Machines"
    assert (row["sector"], row["industry"]) == (None, None)
    assert parse_overview("{}", symbol="NOPE").is_empty()
    with pytest.raises(UnreadableBody, match="'Symbol' is 'IBM', not 'MSFT'"):
        parse_overview(json.dumps(OVERVIEW), symbol="MSFT")
    with pytest.raises(UnreadableBody, match="'Name' is 3, not a text"):
        parse_overview(json.dumps(OVERVIEW | {"Name": 3}), symbol="IBM")


ROWS = [
    "IBM,International Business Machines,NYSE,Stock,1962-01-02,null,Active",
    'ABC,"Company, Inc",NASDAQ,Stock,2001-05-04,null,Active',
]
LISTED = "\r\n".join([LISTING_HEADER, *ROWS]) + "\r\n"


def test_listings_are_read_by_symbol() -> None:
    """Names hold commas, and the vendor writes null for a day that has not come."""
    frame = parse_listings(LISTED, state="active")
    assert frame.select("symbol", "name", "ipo_date", "delisting_date").rows() == [
        ("ABC", "Company, Inc", date(2001, 5, 4), None),
        ("IBM", "International Business Machines", date(1962, 1, 2), None),
    ]
    assert parse_listings(f"{LISTING_HEADER}\r\n", state="delisted").is_empty()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("", "it starts ''"),
        ("{}", "it starts '{}'"),
        (LISTED[:-9], "cut short"),
        (LISTED[:-30] + "\r\n", "is no active listing"),
        (LISTED.replace("1962-01-02", "1962"), "'1962' is not a date"),
        (LISTED.replace("Active", "Delisted"), "is no active listing"),
        (f"{LISTING_HEADER}\r\n", "not one symbol is active"),
    ],
)
def test_listings_with_a_fault_are_refused_by_name(body: str, words: str) -> None:
    """Half a list would delist the other half of the market."""
    with pytest.raises(UnreadableBody, match="the vendor's listings can't be read") as refused:
        parse_listings(body, state="active")
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("row", "letters"),
    [("I,n,f,o,r,m,a", "Informa"), ("E,r,r,o,r, ,M", "Error M"), ("N,o,t,e", "Note")],
)
def test_a_refusal_in_single_letters_is_told(row: str, letters: str) -> None:
    """It would become a listing of the symbol I, named n."""
    body = f"{LISTING_HEADER}\r\n{row}\r\n"
    assert letters_of_refusal(body) == letters
    judgement = judge(listing_request("active"), body)
    assert judgement.outcome == "unrecognised"
    assert letters in (judgement.message or "")
    assert letters_of_refusal(LISTED) is None
    assert judge(listing_request("active"), LISTED).outcome == "data"


def test_the_parser_has_the_last_word_on_what_is_data() -> None:
    """What is landed as data is relied on; a fault must be asked for again."""
    request = VendorRequest("DIVIDENDS", "IBM")
    assert judge(request, dividends(dividend("2004-02-01", "x"))).outcome == "unreadable"
    assert judge(request, dividends(dividend("2004-02-01", "1.0"))).outcome == "data"
    assert judge(listing_request("active"), "<html></html>").outcome == "unreadable"
    assert judge(listing_request("active"), '{"Note": "5 calls per minute"}').outcome == "burst"


def test_plain_daily_bars_have_five_values() -> None:
    """A free key gets no corporate actions with its bars."""
    body = json.dumps(
        {
            "Meta Data": {"2. Symbol": "IBM"},
            "Time Series (Daily)": {
                "2024-05-09": {
                    "1. open": "167.5000",
                    "2. high": "167.5500",
                    "3. low": "165.8800",
                    "4. close": "166.2700",
                    "5. volume": "4266616",
                }
            },
        }
    )
    assert parse_daily(body, symbol="IBM").rows() == [
        ("IBM", date(2024, 5, 9), 167.5, 167.55, 165.88, 166.27, 4266616)
    ]
