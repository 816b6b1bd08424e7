"""The sample market is the recorded one, with its real splits, dividends and crashes."""

from datetime import date

import polars as pl
import pytest

from pipelines.markets.recorded import RecordedMarket
from pipelines.markets.sample import load_sample_market, recorded_bars, split_coefficient


@pytest.fixture(scope="module")
def market() -> RecordedMarket:
    """The sample market, loaded once."""
    return load_sample_market()


def bar(market: RecordedMarket, symbol: str, session: date) -> dict[str, object]:
    """Return one bar."""
    return market.bars.row(
        by_predicate=(pl.col("symbol") == symbol) & (pl.col("session") == session), named=True
    )


def test_it_holds_every_recorded_bar_as_traded(market: RecordedMarket) -> None:
    """A bar lost or touched here would be missing from everything that is shown on real data."""
    columns = ["symbol", "session", "open", "high", "low", "close", "volume"]
    recorded = recorded_bars().select(columns).sort("symbol", "session")
    assert market.bars.select(columns).equals(recorded)
    assert market.bars.height == 12_154
    assert market.symbols == ("AAPL", "FB", "GOOG", "IBM", "MSFT")
    assert (market.first_session, market.last_session) == (date(2000, 3, 1), date(2013, 3, 1))


def test_its_splits_are_the_three_that_took_place(market: RecordedMarket) -> None:
    """MSFT's special dividend of 3 dollars must not pass for a split, nor AAPL's crash."""
    splits = market.bars.filter(pl.col("split_coefficient") != 1)
    assert splits.select("symbol", "session", "split_coefficient").rows() == [
        ("AAPL", date(2000, 6, 21), 2.0),
        ("AAPL", date(2005, 2, 28), 2.0),
        ("MSFT", date(2003, 2, 18), 2.0),
    ]


def test_its_dividends_are_those_that_were_paid(market: RecordedMarket) -> None:
    """Declared: AAPL 2.65, MSFT 3.08 (3.00 special and 0.08), IBM 0.13; the recording is coarse."""
    paid = market.bars.filter(pl.col("dividend_amount") != 0)
    assert dict(paid.group_by("symbol").len().rows()) == {"AAPL": 3, "IBM": 52, "MSFT": 37}
    for symbol, session, declared in (
        ("AAPL", date(2012, 8, 9), 2.65),
        ("MSFT", date(2004, 11, 15), 3.08),
        ("IBM", date(2000, 5, 8), 0.13),
    ):
        amount = bar(market, symbol, session)["dividend_amount"]
        assert amount == pytest.approx(declared, rel=0.03)


def test_the_crash_of_september_2000_is_no_event(market: RecordedMarket) -> None:
    """AAPL lost 51.9 % on 2000-09-29 for real: taken for a split, the loss would vanish."""
    crash = bar(market, "AAPL", date(2000, 9, 29))
    before = bar(market, "AAPL", date(2000, 9, 28))
    assert crash["close"] / before["close"] - 1 == pytest.approx(-0.519, abs=5e-4)
    assert (crash["split_coefficient"], crash["dividend_amount"]) == (1.0, 0.0)


def test_its_events_give_back_the_recorded_adjusted_close(market: RecordedMarket) -> None:
    """The proof that no event was missed: only a constant (splits after 2013) may remain.

    Tolerance: dividends rounded to 4 decimals cost up to 5e-5 / 27 dollars each; measured 9e-6.
    """
    ratios = market.bars.join(recorded_bars(), on=["symbol", "session"]).select(
        "symbol", ratio=pl.col("adjusted_close") / pl.col("recorded_adjusted_close")
    )
    spread = ratios.group_by("symbol").agg(pl.col("ratio").max() / pl.col("ratio").min() - 1)
    assert spread["ratio"].max() < 2e-5


def test_the_newest_adjusted_close_is_the_close(market: RecordedMarket) -> None:
    """A vendor adjusts the past, never the last session."""
    newest = market.bars.group_by("symbol").agg(pl.all().sort_by("session").last())
    assert newest["adjusted_close"].equals(newest["close"].alias("adjusted_close"))


@pytest.mark.parametrize(("step", "split"), [(2.0, 2.0), (1.5 + 1e-13, 1.5), (0.1, 0.1)])
def test_a_step_of_small_whole_numbers_is_a_split(step: float, split: float) -> None:
    """Rounding of the recording must not make a split of 2.0000000001."""
    assert split_coefficient(step) == split


def test_a_step_that_is_no_split_is_refused_with_its_value() -> None:
    """A dividend of a fifth of the price is no split: guessing would falsify the whole past."""
    with pytest.raises(ValueError, match=r"a step of 1\.2345678"):
        split_coefficient(1.2345678)
