"""Refusals are told apart by their real wording, and the key is taken out of any text."""

import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipelines.vendor.refusals import REDACTED, RefusalKind, classify, redact

# As the vendor writes them, collected from public bug reports; the key is ours.
REAL_REFUSALS = [
    (
        "daily_cap",
        "Information",
        "We have detected your API key as KEY0123456789ABC and our standard API rate limit is 25 "
        "requests per day. Please subscribe to any of the premium plans at "
        "https://www.alphavantage.co/premium/ to instantly remove all daily rate limits.",
    ),
    (
        "burst",
        "Information",
        "Thank you for using Alpha Vantage! Please consider spreading out your free API requests "
        "more sparingly (1 request per second). You may subscribe to any of the premium plans at "
        "https://www.alphavantage.co/premium/ to lift the free key rate limit (25 requests per "
        "day), raise the per-second burst limit, and instantly unlock all premium endpoints",
    ),
    (
        "burst",
        "Information",
        "Burst pattern detected. Please consider spreading out your API requests more evenly "
        "across a 1-minute window and query no more than 20 requests per second. Please contact "
        "support@alphavantage.co if you are targeting a higher API request volume.",
    ),
    (
        "burst",
        "Information",
        "Minute-level rate limit exceed. Please stay under the number of API requests per minute "
        "for your premium subscription plan.",
    ),
    (
        "burst",
        "Note",
        "Thank you for using Alpha Vantage! Our standard API call frequency is 5 calls per minute "
        "and 500 calls per day. Please visit https://www.alphavantage.co/premium/ if you would "
        "like to target a higher API call frequency.",
    ),
    (
        "premium",
        "Information",
        "Thank you for using Alpha Vantage! This is a premium endpoint. You may subscribe to any "
        "of the premium plans at https://www.alphavantage.co/premium/ to instantly unlock all "
        "premium endpoints",
    ),
    (
        "premium",
        "Information",
        "Thank you for using Alpha Vantage! The outputsize=full parameter value is a premium "
        "feature for the TIME_SERIES_DAILY endpoint. You may subscribe to any of the premium plans "
        "at https://www.alphavantage.co/premium/ to instantly unlock all premium features",
    ),
    (
        "bad_call",
        "Error Message",
        "Invalid API call. Please retry or visit the documentation "
        "(https://www.alphavantage.co/documentation/) for TIME_SERIES_DAILY.",
    ),
    ("bad_call", "Error Message", "This API function (TIME_SERIES_DALY) does not exist."),
    (
        "bad_key",
        "Error Message",
        "the parameter apikey is invalid or missing. Please claim your free API key on "
        "(https://www.alphavantage.co/support/#api-key). It should take less than 20 seconds.",
    ),
    (
        "bad_key",
        "Information",
        "The **demo** API key is for demo purposes only. Please claim your free API key at "
        "(https://www.alphavantage.co/support/#api-key) to explore our full API offerings. It "
        "takes fewer than 20 seconds.",
    ),
    ("unrecognised", "Information", "Our servers are closed for the season."),
]


@pytest.mark.parametrize(
    ("kind", "key", "sentence"), REAL_REFUSALS, ids=[f"{r[0]}: {r[2][:30]}" for r in REAL_REFUSALS]
)
def test_a_refusal_is_known_by_its_wording(kind: str, key: str, sentence: str) -> None:
    """A burst taken for the daily cap ends the night; a cap taken for a burst wastes it."""
    refusal = classify(json.dumps({key: sentence}))
    assert refusal is not None
    assert (refusal.kind, refusal.message) == (RefusalKind(kind), sentence)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{}",
        "[]",
        "<html>Invalid API call</html>",
        '{"Meta Data": {"1. Information": "Daily"}, "Time Series (Daily)": {}}',
        '{"Information": "This is a premium endpoint", "Time Series (Daily)": {}}',
    ],
)
def test_anything_else_is_no_refusal(body: str) -> None:
    """Data with a remark beside it must not be thrown away."""
    assert classify(body) is None


@given(
    # Long enough not to stand in "[redacted]" itself; real keys have sixteen characters.
    key=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=12, max_size=24),
    before=st.text(max_size=20),
)
@example(key="a+b/c=d&e f%g,", before="API key as ")
@example(key='q"u\\o"te,comma', before="apikey=")
@example(key="ÜMLAUT-KEY-ß-1", before="")
def test_the_key_is_removed_however_it_is_spelt(key: str, before: str) -> None:
    """A key in a landed body or a log is a key to revoke."""
    spellings = [key, quote(key), quote(key, safe=""), quote_plus(key)]
    spellings += [json.dumps(key)[1:-1], json.dumps(key, ensure_ascii=False)[1:-1]]
    for spelling in spellings:
        assert spelling not in redact(f"{before}{spelling} and {spelling}{before}", key)


@pytest.mark.parametrize("secret", ["", "another-key-altogether"])
def test_a_key_that_the_vendor_repeats_is_removed_though_it_is_not_ours(secret: str) -> None:
    """A key that was just replaced may still be on its way back."""
    text = "We have detected your API key as KEY0123456789ABC and our standard API rate limit"
    assert redact(text, secret) == text.replace("KEY0123456789ABC", REDACTED)
    assert "KEY0123" not in redact("url: /query?apikey=KEY0123456789ABC&datatype=json", secret)


def test_a_text_without_the_key_stays_as_it_is() -> None:
    """Bodies are landed untouched."""
    body = '{"Time Series (Daily)": {"2013-03-01": {"1. open": "200.65"}}}'
    assert redact(body, "KEY0123456789ABC") == body
