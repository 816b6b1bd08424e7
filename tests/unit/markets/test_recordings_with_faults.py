"""The recordings with real faults are what the benchmark says they are, faults included."""

from datetime import date

import polars as pl
import pytest

from pipelines.calendar import ExchangeCalendar
from pipelines.markets import samsung, sp500_year
from pipelines.markets.recorded import RecordedMarket

PRICES = ["open", "high", "low", "close"]


@pytest.fixture(scope="module")
def year() -> RecordedMarket:
    """The year of 524 symbols."""
    return sp500_year.load_sp500_year()


@pytest.fixture(scope="module")
def seoul() -> RecordedMarket:
    """Samsung's quarter of a century."""
    return samsung.load_samsung()


def sessions_without_bars(bars: pl.DataFrame, exchange: str) -> list[date]:
    """Return the sessions of an exchange, from first to last bar, on which nothing traded."""
    days = bars["session"].unique().sort()
    known = ExchangeCalendar.of(exchange).sessions(days[0], days[-1])
    return sorted(set(known) - set(days))


def contradicting(bars: pl.DataFrame) -> pl.DataFrame:
    """Return the bars whose high or low is beaten by another price."""
    beaten = (pl.col("high") < pl.max_horizontal(PRICES)) | (
        pl.col("low") > pl.min_horizontal(PRICES)
    )
    return bars.filter(beaten)


def test_the_year_has_the_faults_that_it_is_known_for(year: RecordedMarket) -> None:
    """Were they mended on the way in, finding them would prove nothing."""
    assert year.bars.height == 122_574
    assert len(year.symbols) == 524
    missing = sessions_without_bars(year.bars, "XNYS")
    assert missing == list(sp500_year.MISSING_SESSIONS)
    assert contradicting(year.bars).height == 78
    for event in sp500_year.KNOWN_EVENTS:
        own = year.bars.filter(symbol=event.symbol).with_columns(
            move=pl.col("close") / pl.col("close").shift(1)
        )
        move = own.filter(session=event.session)["move"].item()
        assert not 0.75 < move < 4 / 3


def test_volume_of_the_year_is_in_shares(year: RecordedMarket) -> None:
    """The recording counts hundreds. Apple traded 15 to 30 million shares a day in 2009."""
    day = year.bars.filter(symbol="AAPL", session=date(2009, 9, 16))
    assert 10_000_000 < day["volume"].item() < 50_000_000


def test_the_clean_part_of_the_year_is_complete_and_possible(year: RecordedMarket) -> None:
    """False alarms are counted in it, so that no fault that is known may be among its bars."""
    clean = sp500_year.clean_part(year)
    assert clean["symbol"].n_unique() > 350
    assert sessions_without_bars(clean, "XNYS") == []
    assert clean.group_by("symbol").len()["len"].n_unique() == 1
    assert contradicting(clean).is_empty()
    assert not {event.symbol for event in sp500_year.KNOWN_EVENTS} & set(clean["symbol"])


def test_samsung_has_127_bars_without_volume(seoul: RecordedMarket) -> None:
    """Most of them are days on which Seoul was closed, filled with the close before."""
    stale = seoul.bars.filter(pl.col("volume") == 0)
    assert seoul.bars.height == 6_268
    assert stale.height == 127
    days = stale["session"].to_list()
    closed = set(days) - set(ExchangeCalendar.of("XKRX").sessions(min(days), max(days)))
    assert len(closed) == 98


def test_the_clean_part_of_samsung_is_complete(seoul: RecordedMarket) -> None:
    """A missing session in it would be a true alarm that is counted as a false one."""
    clean = samsung.clean_part(seoul)
    assert clean.height > 2_000
    assert sessions_without_bars(clean, "XKRX") == []
    assert contradicting(clean).is_empty()
    assert clean["volume"].min() > 0  # type: ignore[operator]


def test_rounding_to_the_vendors_decimals_makes_samsungs_bars_possible(
    seoul: RecordedMarket,
) -> None:
    """Adjusted in floating point, a high may fall 1e-11 below its close: no fault of anyone's."""
    assert contradicting(seoul.bars)["session"].to_list() == [date(2024, 10, 14)]
