"""INDEX_DATA is read as it was recorded from the vendor, and refused by name where it is not."""

import json
from datetime import date
from typing import Any

import pytest

from pipelines.markets.indexes import INDEX_SCHEMA
from pipelines.vendor.index_payloads import parse_index
from pipelines.vendor.judgements import judge
from pipelines.vendor.payloads import UnreadableBody
from pipelines.vendor.requests import index_request

ROW = {"date": "2026-04-02", "open": "6403.37", "high": "6609.67", "low": "6316.91", "close": "6582.69"}  # noqa: E501  # fmt: skip


def body(*rows: object, **about: Any) -> str:
    """Return a body in the vendor's recorded layout."""
    told = {"symbol": "SPX", "name": "S&P 500 INDEX", "interval": "daily", **about}
    return json.dumps({**told, "data": list(rows)})


def test_bars_are_read_oldest_first_and_a_day_without_a_close_is_left_out() -> None:
    """The vendor writes "." for a missing value; early history has closes alone."""
    closes_alone = {"date": "2026-03-27", "open": ".", "close": "6368.85"}
    holiday = {"date": "2026-04-03", "open": ".", "high": ".", "low": ".", "close": "."}
    frame = parse_index(body(holiday, ROW, closes_alone), symbol="SPX")
    assert frame.schema == INDEX_SCHEMA
    assert frame.rows() == [
        ("SPX", date(2026, 3, 27), None, None, None, 6368.85),
        ("SPX", date(2026, 4, 2), 6403.37, 6609.67, 6316.91, 6582.69),
    ]


def test_numbers_may_be_numbers() -> None:
    """The recorded body holds texts; what else holds a number is none the less one."""
    frame = parse_index(body(ROW | {"close": 6582.69}), symbol="SPX")
    assert frame["close"].to_list() == [6582.69]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (body(ROW, symbol="NDX"), "'symbol' is 'NDX', not 'SPX'"),
        (body(ROW, interval="weekly"), "'interval' is 'weekly', not 'daily'"),
        (body("row"), "not a list of rows"),
        (
            '{"symbol": "SPX", "Time Series (Daily)": {}}',
            "it has ['Time Series (Daily)', 'symbol']",
        ),
        (body(), "none of its 0 rows has a close"),
        (body(ROW | {"close": "."}), "none of its 1 rows has a close"),
        (body(ROW, ROW), "2026-04-02 occurs twice"),
        (body(ROW | {"date": "2026-4-2"}), "'2026-4-2' is not a date"),
        (body(ROW | {"high": "6,609.67"}), "'high' on 2026-04-02 is '6,609.67', not a number"),
        (body(ROW | {"close": "NaN"}), "'close' on 2026-04-02 is 'NaN', not a number"),
        ("<html>", "not JSON, or cut short"),
    ],
)
def test_a_body_with_a_fault_is_refused_by_name(text: str, words: str) -> None:
    """A layout that nobody has seen must not become levels that nobody has seen."""
    with pytest.raises(UnreadableBody, match="the vendor's index can't be read") as refused:
        parse_index(text, symbol="SPX")
    assert words in str(refused.value)


def test_the_parser_has_the_last_word_on_what_is_landed_as_data() -> None:
    """An unreadable answer is asked for again, and counted as a fault."""
    assert judge(index_request("SPX"), body(ROW)).outcome == "data"
    assert judge(index_request("SPX"), body(ROW, interval="weekly")).outcome == "unreadable"
