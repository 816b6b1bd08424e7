"""The loopback vendor answers in the vendor's own form and words."""

import json
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from pipelines.markets.recorded import BAR_SCHEMA
from pipelines.vendor.answers import Account, answer, burst
from pipelines.vendor.payloads import parse_daily_adjusted
from pipelines.vendor.refusals import classify
from tests.support.recorded_bars import bars_of

BARS = bars_of("IBM", [100.0 + row for row in range(150)])
ADJUSTED = {"function": "TIME_SERIES_DAILY_ADJUSTED", "symbol": "IBM", "apikey": "K"}
FULL = {**ADJUSTED, "outputsize": "full"}
FREE = Account(plan="free")


def asked(query: dict[str, str], account: Account | None = None) -> str:
    """Return the answer to a query about IBM."""
    return answer({"IBM": BARS}, query, account=account or Account())


def days_of(body: str) -> dict[str, Any]:
    """Return the table of days of a body."""
    series: dict[str, Any] = json.loads(body)["Time Series (Daily)"]
    return series


def test_compact_is_the_newest_hundred_and_full_is_everything() -> None:
    """The planner relies on the count; both are newest first."""
    compact, full = list(days_of(asked(ADJUSTED))), list(days_of(asked(FULL)))
    assert (len(compact), len(full)) == (100, 150)
    assert full == sorted(full, reverse=True)
    assert compact == full[:100]


def test_numbers_are_written_as_the_vendor_writes_them() -> None:
    """Recorded from the vendor: prices short, adjusted close with 15 digits, dividends with 4."""
    bars = bars_of("IBM", [169.9, 166.27], dividend_amount={1: 1.67}).with_columns(
        open=pl.lit(558.0019)
    )
    before = days_of(answer({"IBM": bars}, ADJUSTED, account=Account()))["2024-01-01"]
    assert before == {
        "1. open": "558.0019",
        "2. high": "170.9",
        "3. low": "84.95",
        "4. close": "169.9",
        "5. adjusted close": "168.23",
        "6. volume": "1000",
        "7. dividend amount": "0.0000",
        "8. split coefficient": "1.0",
    }


def test_the_plain_daily_series_has_five_fields_with_four_decimals() -> None:
    """A free key gets these alone."""
    body = asked({**ADJUSTED, "function": "TIME_SERIES_DAILY"}, FREE)
    assert days_of(body)["2024-05-01"] == {
        "1. open": "221.0000",
        "2. high": "222.0000",
        "3. low": "110.5000",
        "4. close": "221.0000",
        "5. volume": "1121",
    }


REFUSED = {
    "no key": ({**ADJUSTED, "apikey": ""}, Account(), "bad_key"),
    "another key": (ADJUSTED, Account(key="mine"), "bad_key"),
    "unknown symbol": ({**ADJUSTED, "symbol": "NOPE"}, Account(), "bad_call"),
    "no symbol": ({"function": "TIME_SERIES_DAILY", "apikey": "K"}, Account(), "bad_call"),
    "wrong outputsize": ({**ADJUSTED, "outputsize": "huge"}, Account(), "bad_call"),
    "unknown function": ({**ADJUSTED, "function": "TIME_SERIES_DALY"}, Account(), "bad_call"),
    "adjusted on a free key": (ADJUSTED, FREE, "premium"),
    "full on a free key": ({**FULL, "function": "TIME_SERIES_DAILY"}, FREE, "premium"),
    "the 26th request": (ADJUSTED, Account(plan="free", requests_today=25), "daily_cap"),
}


@pytest.mark.parametrize(("query", "account", "kind"), REFUSED.values(), ids=REFUSED.keys())
def test_what_the_vendor_refuses_is_refused_in_its_words(
    query: dict[str, str], account: Account, kind: str
) -> None:
    """The client is tested against these: kinder words would prove nothing."""
    refusal = classify(asked(query, account))
    assert refusal is not None
    assert refusal.kind == kind


def test_the_daily_cap_repeats_the_key_and_a_premium_key_has_none() -> None:
    """The leak that redaction exists for; and 1,200 requests a minute are not 25 a day."""
    capped = Account(plan="free", requests_today=25)
    assert "API key as K and" in asked(ADJUSTED, capped)
    assert days_of(asked(ADJUSTED, Account(requests_today=10_000)))


def test_the_words_of_a_burst_are_told_from_the_daily_cap() -> None:
    """They name the 25 requests a day and the premium endpoints too."""
    refusal = classify(burst())
    assert refusal is not None
    assert refusal.kind == "burst"


PRICES = st.floats(1e-4, 1e7, allow_nan=False)
ROW = st.tuples(
    *[PRICES] * 4, st.integers(0, 2**62), PRICES,
    st.integers(0, 10**6).map(lambda ticks: ticks / 10_000), st.sampled_from([0.1, 1.0, 1.5, 7.0]),
)  # fmt: skip


@settings(max_examples=50, deadline=None)
@given(
    rows=st.dictionaries(st.integers(0, 20_000), ROW, min_size=1, max_size=12),
    symbol=st.text(st.characters(codec="ascii", categories=["Lu", "Nd", "Po"]), min_size=1),
)
def test_whatever_is_answered_is_read_back_the_same(
    rows: dict[int, tuple[Any, ...]], symbol: str
) -> None:
    """The adjusted close keeps 15 digits, as at the vendor; all else keeps every bit."""
    days = sorted(rows)
    records = [(symbol, date(1990, 1, 1) + timedelta(days=day), *rows[day]) for day in days]
    bars = pl.DataFrame(records, schema=BAR_SCHEMA, orient="row")
    query = {**FULL, "symbol": symbol}
    # The vendor looks symbols up in upper case.
    back = parse_daily_adjusted(answer({symbol: bars}, query, account=Account()), symbol=symbol)
    assert_frame_equal(back.drop("adjusted_close"), bars.drop("adjusted_close"), check_exact=True)
    assert_frame_equal(back, bars, rel_tol=1e-14, abs_tol=0)
