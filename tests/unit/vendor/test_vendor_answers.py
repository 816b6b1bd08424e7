"""The loopback vendor answers in the vendor's own form and words."""

import json
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from pipelines.markets.indexes import INDEX_SCHEMA
from pipelines.markets.profiles import CompanyProfile
from pipelines.markets.recorded import BAR_SCHEMA
from pipelines.vendor.actions import parse_dividends, parse_splits
from pipelines.vendor.answers import Account, answer
from pipelines.vendor.listings import parse_listings
from pipelines.vendor.overviews import parse_overview
from pipelines.vendor.payloads import parse_daily_adjusted
from pipelines.vendor.refusal_words import burst
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


def asked_for(function: str, **parameters: str) -> str:
    """Return the answer to any function about two companies."""
    splitting = bars_of("FB", [10.0] * 40, split_coefficient={20: 2.0}, dividend_amount={30: 0.5})
    query = {"function": function, "symbol": "FB", "apikey": "K", **parameters}
    profiles = {"FB": CompanyProfile("Face, Book", "NASDAQ", sector="COMMUNICATION")}
    level = bars_of("SPX", [1514.68, 1518.2]).select(INDEX_SCHEMA.names())
    return answer(
        {"IBM": BARS, "FB": splitting},
        query,
        account=Account(),
        profiles=profiles,
        indexes={"SPX": level},
    )


@pytest.mark.parametrize(
    ("function", "name", "count"),
    [
        ("TIME_SERIES_WEEKLY_ADJUSTED", "Weekly Adjusted Time Series", 22),
        ("TIME_SERIES_MONTHLY_ADJUSTED", "Monthly Adjusted Time Series", 5),
    ],
)
def test_a_longer_period_is_one_row_under_its_latest_session(
    function: str, name: str, count: int
) -> None:
    """The current week or month is partial, and its key moves with every session."""
    body = asked({**ADJUSTED, "function": function}, FREE)
    payload = json.loads(body)
    rows = list(payload[name].items())
    assert len(rows) == count
    newest, values = rows[0]
    assert newest == str(BARS["session"][-1])
    assert values["4. close"] == "249.0000"
    assert set(values) == {
        "1. open", "2. high", "3. low", "4. close", "5. adjusted close", "6. volume",
        "7. dividend amount",
    }  # fmt: skip


def test_series_speak_csv_with_the_vendors_headers() -> None:
    """Weekly and monthly headers have spaces where the daily ones have underscores."""
    daily = asked({**FULL, "datatype": "csv"}).splitlines()
    assert daily[0] == (
        "timestamp,open,high,low,close,adjusted_close,volume,dividend_amount,split_coefficient"
    )
    assert daily[1].startswith("2024-05-29,249.0,250.0,124.5,249.0,249,1149,0.0000,1.0")
    assert len(daily) == 151
    weekly = asked({**ADJUSTED, "function": "TIME_SERIES_WEEKLY_ADJUSTED", "datatype": "csv"})
    assert weekly.splitlines()[0].endswith("adjusted close,volume,dividend amount")
    assert asked_for("SPLITS", datatype="csv") == (
        "effective_date,split_factor\r\n2024-01-21,2.0000\r\n"
    )


def test_a_refusal_of_a_series_is_json_even_in_csv_and_letters_where_csv_is_all() -> None:
    """A reader of CSV takes either for data."""
    capped = Account(plan="free", requests_today=25)
    refusal = classify(asked({**ADJUSTED, "datatype": "csv"}, capped))
    assert refusal is not None
    assert refusal.kind == "daily_cap"
    letters = asked({"function": "LISTING_STATUS", "apikey": "K"}, capped)
    assert letters.splitlines()[1] == "I,n,f,o,r,m,a"
    wrong = asked({"function": "LISTING_STATUS", "apikey": "K", "state": "gone"})
    assert wrong.splitlines()[1] == "E,r,r,o,r, ,M"


def test_corporate_actions_are_listed_newest_first() -> None:
    """Only what there was; a symbol that is not known is a bad call."""
    dividends = parse_dividends(asked_for("DIVIDENDS"), symbol="FB")
    assert dividends.rows() == [("FB", date(2024, 1, 31), 0.5)]
    assert parse_splits(asked_for("SPLITS"), symbol="FB").rows() == [("FB", date(2024, 1, 21), 2.0)]
    refusal = classify(asked_for("SPLITS", symbol="NOPE"))
    assert refusal is not None


def test_companies_are_listed_and_described() -> None:
    """FB has had no bar for months: it has left the market."""
    active = parse_listings(asked_for("LISTING_STATUS"), state="active")
    assert active["symbol"].to_list() == ["IBM"]
    gone = parse_listings(asked_for("LISTING_STATUS", state="delisted"), state="delisted")
    assert gone.select("symbol", "name", "exchange", "delisting_date").rows() == [
        ("FB", "Face, Book", "NASDAQ", date(2024, 2, 9))
    ]
    then = parse_listings(asked_for("LISTING_STATUS", date="2024-02-01"), state="active")
    assert then["symbol"].to_list() == ["FB", "IBM"]
    overview = parse_overview(asked_for("OVERVIEW"), symbol="FB").row(0, named=True)
    assert (overview["sector"], overview["industry"]) == ("COMMUNICATION", None)
    assert asked_for("OVERVIEW", symbol="NOPE") == "{}"


def test_the_market_as_a_whole_is_answered() -> None:
    """An index is known by its name and interval alone."""
    status = json.loads(asked_for("MARKET_STATUS"))["markets"][0]
    assert (status["region"], status["current_status"]) == ("United States", "closed")
    daily = {"symbol": "SPX", "interval": "daily"}
    index = json.loads(asked_for("INDEX_DATA", **daily))
    assert [index[name] for name in ("symbol", "name", "interval")] == [
        "SPX", "S&P 500 INDEX", "daily",
    ]  # fmt: skip
    assert index["data"][0] == {
        "date": "2024-01-02", "open": "1518.2", "high": "1519.2", "low": "759.1", "close": "1518.2",
    }  # fmt: skip
    assert asked_for("INDEX_DATA", **daily, datatype="csv").startswith("timestamp,open,high")
    assert asked({"function": "INDEX_DATA", "apikey": "K", **daily}, FREE).count("premium endpoint")
    unknown = [{"symbol": "FB", "interval": "daily"}, {"symbol": "SPX"}]
    refusals = [classify(asked_for("INDEX_DATA", **parameters)) for parameters in unknown]
    assert [refusal.kind for refusal in refusals if refusal] == ["bad_call", "bad_call"]
    refusal = refusals[0]
    assert refusal is not None
