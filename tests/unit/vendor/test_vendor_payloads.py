"""A body is read as a whole or not at all."""

import json
import re
from datetime import date
from typing import Any

import polars as pl
import pytest

from pipelines.markets.recorded import BAR_SCHEMA
from pipelines.vendor.payloads import UnreadableBody, parse_daily_adjusted, read_daily_adjusted
from tests.support.recorded_bars import changed_body

DAY = "2024-05-09"
# Rows of a recorded answer, newest first.
PAYLOAD: dict[str, Any] = {
    "Meta Data": {
        "1. Information": "Daily Time Series with Splits and Dividend Events",
        "2. Symbol": "IBM",
        "3. Last Refreshed": DAY,
        "4. Output Size": "Compact",
        "5. Time Zone": "US/Eastern",
    },
    "Time Series (Daily)": {
        DAY: {
            "1. open": "167.5",
            "2. high": "167.55",
            "3. low": "165.88",
            "4. close": "166.27",
            "5. adjusted close": "166.27",
            "6. volume": "4266616",
            "7. dividend amount": "1.6700",
            "8. split coefficient": "1.0",
        },
        "2024-05-08": {
            "1. open": "168.01",
            "2. high": "170.26",
            "3. low": "167.9",
            "4. close": "169.9",
            "5. adjusted close": "168.210509705847",
            "6. volume": "3522011",
            "7. dividend amount": "0.0000",
            "8. split coefficient": "1.0",
        },
    },
}
BODY = json.dumps(PAYLOAD, indent=4)


def test_a_recorded_answer_becomes_bars_oldest_first() -> None:
    """Field names, order and types of the vendor against those of the lake."""
    bars = parse_daily_adjusted(BODY, symbol="IBM")
    assert bars.schema == BAR_SCHEMA
    assert bars.rows() == [
        (
            "IBM", date(2024, 5, 8), 168.01, 170.26, 167.9, 169.9, 3522011,
            168.210509705847, 0.0, 1.0,
        ),
        ("IBM", date(2024, 5, 9), 167.5, 167.55, 165.88, 166.27, 4266616, 166.27, 1.67, 1.0),
    ]  # fmt: skip


@pytest.mark.parametrize("close", ["0.0000", "-3.5", "1e6"])
def test_an_absurd_price_is_readable(close: str) -> None:
    """The hard rules must see it: thrown away here, nobody would know of it."""
    body = json.dumps(changed_body(PAYLOAD, DAY, close=close))
    assert parse_daily_adjusted(body, symbol="IBM")["close"][-1] == float(close)


def with_series(series: object) -> str:
    """Return the body with another table of days."""
    return json.dumps({**PAYLOAD, "Time Series (Daily)": series})


FAULTS = {
    "not JSON": ("Service Unavailable", "not JSON, or cut short"),
    "HTML": ("<!DOCTYPE html><html></html>", "<!DOCTYPE html>"),
    "cut short": (BODY[: len(BODY) // 2], "not JSON, or cut short"),
    "a list": ("[]", "not a JSON object"),
    "nested without end": ("[" * 200_000, "not JSON, or cut short"),
    "another symbol": (BODY.replace('"IBM"', '"MSFT"'), "'2. Symbol' is 'MSFT', not 'IBM'"),
    "no meta data": (json.dumps({"Time Series (Daily)": {}}), "'2. Symbol' is None"),
    "no days": (with_series({}), "'Time Series (Daily)' is {}"),
    "a refusal": ('{"Note": "5 calls per minute"}', "'2. Symbol' is None"),
    "a day that is no bar": (with_series({DAY: "closed"}), "is 'closed', not a bar"),
    "a field is missing": (
        json.dumps(changed_body(PAYLOAD, DAY, close=None)),
        "'4. close' is missing on 2024-05-09",
    ),
    "the series twice": (
        BODY.replace('"Meta Data": {', '"Time Series (Daily)": {}, "Meta Data": {'),
        "'Time Series (Daily)' occurs twice",
    ),
    "a field twice": (BODY.replace("2. high", "1. open"), "'1. open' occurs twice"),
    "a date with a time": (BODY.replace(f'"{DAY}": {{', f'"{DAY} 16:00:00": {{'), "is not a date"),
    "a short date": (BODY.replace("2024-05-08", "2024-5-8"), "'2024-5-8' is not a date"),
    "a day that does not exist": (BODY.replace("2024-05-08", "2024-02-30"), "is not a date"),
}
NO_NUMBERS = ["None", "-", "", " 1.0", "nan", "NaN", "inf", "-Infinity", "1e999", "1_000", "1,5"]
FAULTS |= {
    f"close {value!r}": (
        json.dumps(changed_body(PAYLOAD, DAY, close=value)),
        f"'4. close' on 2024-05-09 is {value!r}, not a number",
    )
    for value in NO_NUMBERS
}
FAULTS |= {
    f"volume {value!r}": (
        json.dumps(changed_body(PAYLOAD, DAY, volume=value)),
        f"'6. volume' on 2024-05-09 is {value!r}, not a number",
    )
    for value in ["1.5", "1e3", "9" * 20, "nan"]
}
FAULTS |= {
    "a bare number": (BODY.replace('"166.27"', "166.27"), "is 166.27, not a number"),
    "a bare NaN": (BODY.replace('"169.9"', "NaN"), "is nan, not a number"),
    "null": (BODY.replace('"169.9"', "null"), "'4. close' on 2024-05-08 is None"),
}


@pytest.mark.parametrize(("body", "words"), FAULTS.values(), ids=FAULTS.keys())
def test_a_body_with_a_fault_is_refused_by_name(body: str, words: str) -> None:
    """One wrong row taken in silence is worse than a symbol that is a day late."""
    with pytest.raises(UnreadableBody, match=re.escape(words)) as refused:
        parse_daily_adjusted(body, symbol="IBM")
    assert str(refused.value).startswith("IBM: ")
    assert "asked for again" in str(refused.value)
    assert len(str(refused.value)) < 500


def test_the_vendors_spelling_of_a_symbol_may_differ_in_case() -> None:
    """The frame carries ours, or the same symbol would be two."""
    bars = parse_daily_adjusted(BODY.replace('"IBM"', '"ibm"'), symbol="IBM")
    assert bars.select(pl.col("symbol").unique()).item() == "IBM"


def test_a_day_that_comes_twice_is_told_with_both_bars() -> None:
    """One of the two is wrong, and nobody could say which if one were dropped in silence."""
    read = read_daily_adjusted(BODY.replace("2024-05-08", DAY), symbol="IBM")
    assert read.bars.select("session", "close").rows() == [(date(2024, 5, 9), 169.9)]
    assert read.repeated.select("session", "close").rows() == [(date(2024, 5, 9), 166.27)]
    assert read.repeated.schema == BAR_SCHEMA


def test_a_body_says_whether_it_is_the_whole_history() -> None:
    """A short answer lacks old days by right; a full one that does has lost them."""
    assert not read_daily_adjusted(BODY, symbol="IBM").is_full
    assert read_daily_adjusted(BODY.replace("Compact", "Full size"), symbol="IBM").is_full
