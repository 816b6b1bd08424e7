"""Bodies that are read together give what each gives by itself."""

import json

import pytest

from pipelines.vendor.many_bodies import read_many_daily_adjusted
from pipelines.vendor.payloads import DailyBody, UnreadableBody, read_daily_adjusted
from tests.support.recorded_bars import bars_of, changed_body
from tests.support.vendor_bodies import daily_body

GOOD = daily_body(bars_of("IBM", [10.0, 11.0, 12.0])).replace("Full size", "Compact")
REPEATED = GOOD.replace('"2024-01-02"', '"2024-01-03"')
FULL = GOOD.replace("IBM", "MSFT").replace("Compact", "Full size")


def broken(**fields: str | None) -> str:
    """Return a body with fields of its second day changed, or taken out where None."""
    return json.dumps(changed_body(json.loads(GOOD), "2024-01-02", **fields))


ODD = {
    "no number": broken(close="n/a"),
    "no finite number": broken(close="inf"),
    "shares in halves": broken(volume="1.5"),
    "no field": broken(close=None),
    "no text": GOOD.replace('"10.0"', "10.0"),
    "no date": GOOD.replace('"2024-01-02"', '"2024-1-2"'),
    "a day twice": REPEATED,
    "cut short": GOOD[:-9],
    "another symbol": GOOD.replace("IBM", "FB"),
    "no days": '{"Meta Data": {"2. Symbol": "IBM"}, "Time Series (Daily)": {}}',
}


def alone(symbol: str, body: str) -> DailyBody | str:
    """Return what a body holds, or the words that refuse it."""
    try:
        return read_daily_adjusted(body, symbol=symbol)
    except UnreadableBody as error:
        return str(error)


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD.keys())
def test_an_odd_body_among_others_changes_none_of_them(odd: str) -> None:
    """A value taken from the neighbour's body would be a wrong price of both."""
    bodies = [("IBM", GOOD), ("IBM", odd), ("MSFT", FULL)]
    for (symbol, body), read in zip(bodies, read_many_daily_adjusted(bodies), strict=True):
        expected = alone(symbol, body)
        if isinstance(read, DailyBody):
            assert isinstance(expected, DailyBody)
            assert read.bars.equals(expected.bars)
            assert read.bars.schema == expected.bars.schema
            assert read.repeated.equals(expected.repeated)
            assert (read.is_full, read.refreshed_at) == (expected.is_full, expected.refreshed_at)
        else:
            assert str(read) == expected


def test_no_bodies_are_read_as_none() -> None:
    """A night of refusals alone must not fail."""
    assert read_many_daily_adjusted([]) == []
