"""A recorded market shows on any day what a vendor showed that day."""

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.markets.recorded import RecordedMarket
from tests.support.recorded_bars import FIRST_DAY, bars_of, market_of

CLOSES = [100.0, 104.0, 52.0, 50.0, 51.0]


def adjusted(market: RecordedMarket, day: date) -> list[float]:
    """Return the adjusted closes as seen on a day."""
    return market.as_seen_on(day)["adjusted_close"].to_list()


def test_a_split_halves_the_adjusted_past_from_its_day_on() -> None:
    """Else the split would look like a crash of 50 %, or be known before it happened."""
    market = market_of(bars_of("AAA", CLOSES, split_coefficient={2: 2.0}))
    assert adjusted(market, FIRST_DAY + timedelta(days=1)) == [100.0, 104.0]
    assert adjusted(market, FIRST_DAY + timedelta(days=2)) == [50.0, 52.0, 52.0]


def test_a_dividend_lowers_the_adjusted_past_by_its_share_of_the_close_before() -> None:
    """1 - 2 / 50 = 0.96 by hand: a dividend measured against the wrong close would differ."""
    market = market_of(bars_of("AAA", [50.0, 50.0, 49.0], dividend_amount={2: 2.0}))
    assert adjusted(market, market.last_session) == pytest.approx([48.0, 48.0, 49.0])


def test_a_dividend_on_the_day_of_a_split_is_paid_on_the_new_shares() -> None:
    """One share of 100 becomes two of 50 less 1 each: (2 x 49 + 2 x 1) / 100 = 1, no return."""
    market = market_of(
        bars_of("AAA", [100.0, 49.0], split_coefficient={1: 2.0}, dividend_amount={1: 1.0})
    )
    assert adjusted(market, market.last_session) == pytest.approx([49.0, 49.0])


def test_symbols_do_not_adjust_each_other() -> None:
    """A window over the whole frame would split every symbol with the first one."""
    market = market_of(
        bars_of("AAA", CLOSES, split_coefficient={2: 2.0}), bars_of("BBB", [10.0] * 5)
    )
    seen = market.as_seen_on(market.last_session).filter(symbol="BBB")
    assert seen["adjusted_close"].to_list() == [10.0] * 5


@settings(max_examples=25, deadline=None)
@given(
    cut=st.integers(0, 8),
    split=st.sampled_from([0.1, 1.5, 2.0, 7.0]),
    dividend=st.floats(0.0, 5.0),
)
def test_what_happens_later_does_not_change_what_was_seen(
    cut: int, split: float, dividend: float
) -> None:
    """A vendor of that day that knew a later event would leak the future into every night."""
    closes = [100.0 + row for row in range(10)]
    day = FIRST_DAY + timedelta(days=cut)
    calm = market_of(bars_of("AAA", closes))
    eventful = market_of(
        bars_of(
            "AAA", closes, split_coefficient={cut + 1: split}, dividend_amount={cut + 1: dividend}
        )
    )
    assert eventful.as_seen_on(day).equals(calm.as_seen_on(day))


def test_a_market_knows_its_sessions_and_symbols() -> None:
    """The night's range and the default universe come from here."""
    market = market_of(bars_of("BBB", CLOSES), bars_of("AAA", CLOSES[:2]))
    assert market.symbols == ("AAA", "BBB")
    assert (market.first_session, market.last_session) == (
        FIRST_DAY,
        FIRST_DAY + timedelta(days=4),
    )


@pytest.mark.parametrize(
    "frame",
    [bars_of("AAA", CLOSES).drop("volume"), bars_of("AAA", CLOSES).clear()],
    ids=["a column is missing", "no bars"],
)
def test_bars_of_another_shape_are_refused_by_name(frame: pl.DataFrame) -> None:
    """A market that fails later, inside the server, would look like a fault of the vendor."""
    with pytest.raises(ValueError, match="market 'inline' needs at least one bar"):
        market_of(frame)
