"""Each rule on a single bar breaks on exactly its own fault."""

from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.anomalies.judging import judge_history
from tests.support.lake import daily_rows
from tests.support.recorded_bars import bars_of

SESSION = date(2024, 1, 2)
HOLIDAY = date(2024, 1, 1)
GOOD_BAR = {"open": 10.0, "high": 11.0, "low": 9.0, "close": 10.5, "volume": 100}


def a_bar(session: date = SESSION, **changes: Any) -> pl.DataFrame:
    """Return one row of `daily_prices`, good but for the changes."""
    bar = daily_rows(bars_of("IBM", [10.0]).with_columns(session=pl.lit(SESSION)))
    values = {**GOOD_BAR, **changes, "session": session}
    return bar.with_columns(
        pl.lit(value, dtype=bar.schema[name]).alias(name) for name, value in values.items()
    )


def withheld(bar: pl.DataFrame) -> dict[str, str]:
    """Return the rules that withhold a bar, with their reasons."""
    rows = judge_history(bar).filter("is_withheld")
    return dict(rows.select("anomaly_type", "message").iter_rows())


FAULTS = [
    ("price_not_positive", {"low": 0.0}, "the lowest of open, high, low and close is 0.0"),
    ("price_not_positive", {"low": -1.5}, "the lowest of open, high, low and close is -1.5"),
    ("high_below_prices", {"high": 10.4}, "high 10.4 is below 10.5"),
    ("low_above_prices", {"low": 10.2}, "low 10.2 is above 10.0"),
    ("volume_negative", {"volume": -1}, "volume is -1"),
    ("split_not_positive", {"split_coefficient": 0.0}, "split coefficient is 0.0"),
    ("dividend_negative", {"dividend_amount": -0.25}, "dividend is -0.25"),
    ("off_session", {"session": HOLIDAY}, "the exchange does not trade on 2024-01-01"),
]


@pytest.mark.parametrize(("rule", "fault", "reason"), FAULTS)
def test_a_fault_breaks_its_own_rule_alone(rule: str, fault: dict[str, Any], reason: str) -> None:
    """A person would be sent to look for the wrong thing, or a bad bar would pass."""
    assert withheld(a_bar(**fault)) == {rule: reason}


def test_a_bar_with_several_faults_names_all_of_them() -> None:
    """The second fault would come to light only after the first is repaired."""
    found = withheld(a_bar(high=5.0, low=4.0, volume=-7, session=HOLIDAY))
    assert set(found) == {"high_below_prices", "volume_negative", "off_session"}


def test_a_bar_at_its_limits_is_good() -> None:
    """A day without a trade has four equal prices and no volume: it is no fault."""
    still = a_bar(open=10.0, high=10.0, low=10.0, close=10.0, volume=0)
    assert withheld(still) == {}


PRICES = st.floats(0.5, 50).map(lambda price: round(price, 2))


@settings(max_examples=25, deadline=None)
@given(first=PRICES, last=PRICES, above=st.integers(0, 3), below=st.integers(0, 3))
def test_a_bar_whose_range_holds_its_prices_is_good(
    first: float, last: float, above: int, below: int
) -> None:
    """Whatever the market did within a session, it is no fault."""
    high, low = max(first, last) * (1 + above / 100), min(first, last) * (1 - below / 100)
    assert withheld(a_bar(open=first, high=high, low=low, close=last)) == {}
