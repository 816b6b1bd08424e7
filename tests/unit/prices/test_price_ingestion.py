"""Plain bars, dividends and splits make what the adjusted bars tell."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines.calendar import ExchangeCalendar
from pipelines.markets.recorded import BAR_SCHEMA, RecordedMarket
from pipelines.markets.sample import load_sample_market
from pipelines.prices.bodies import LandedBody
from pipelines.prices.ingestion import (
    PARTS,
    KnownPrices,
    ingest_bodies,
    newest_of,
    replay_bodies,
)
from pipelines.prices.total_return import chain_total_returns
from pipelines.vendor.answers import Account, answer
from pipelines.vendor.requests import DAILY_FUNCTION
from tests.support.recorded_bars import bars_of

CALENDAR = ExchangeCalendar.of("XNYS")
NOTHING = pl.DataFrame(
    schema={
        **BAR_SCHEMA,
        "known_at": pl.Datetime("us", "UTC"),
        "known_at_basis": pl.String,
        "revision": pl.Int32,
        "response_id": pl.Int64,
    }
)
NO_DOUBTS = NOTHING.select("symbol", "session")
AS_OF = datetime(2024, 12, 31, tzinfo=UTC)


@pytest.fixture(scope="module")
def sample() -> RecordedMarket:
    """The sample market, loaded once."""
    return load_sample_market()


def bodies(
    bars: pl.DataFrame,
    functions: Sequence[str],
    *,
    first_id: int = 1,
    size: str = "full",
    fetched_at: datetime = AS_OF,
) -> list[LandedBody]:
    """Return what the vendor answers about the bars of one symbol."""
    (symbol,) = bars["symbol"].unique()
    return [
        LandedBody(
            first_id + place,
            symbol,
            answer(
                {symbol: bars},
                {"function": function, "symbol": symbol, "apikey": "any", "outputsize": size},
                account=Account(),
            ),
            function,
            fetched_at,
        )
        for place, function in enumerate(functions)
    ]


def ingested(
    arrived: Sequence[LandedBody], stored: pl.DataFrame = NOTHING, as_of: datetime = AS_OF
) -> pl.DataFrame:
    """Return the rows that bodies make."""
    known = KnownPrices(stored, newest_of(arrived), NO_DOUBTS)
    done = ingest_bodies(known, arrived, as_of=as_of, calendar=CALENDAR)
    assert done.unreadable == ()
    return done.rows.sort("symbol", "session")


def total_returns(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the index that rows make, where no bar is withheld."""
    return chain_total_returns(
        rows.with_columns(
            is_clean=pl.lit(value=True),
            is_seed=pl.lit(value=False),
            seed_split_factor=pl.lit(None, dtype=pl.Float64),
            seed_units=pl.lit(None, dtype=pl.Float64),
        )
    )


@pytest.mark.parametrize("symbol", ["AAPL", "FB", "GOOG", "IBM", "MSFT"])
def test_both_ways_make_the_same_total_returns(symbol: str, sample: RecordedMarket) -> None:
    """A dividend or split lost on the free way would be a return that nobody earned."""
    bars = sample.bars.filter(symbol=symbol)
    adjusted = ingested(bodies(bars, [DAILY_FUNCTION]))
    rebuilt = ingested(bodies(bars, PARTS))
    columns = ["symbol", "session", "split_factor", "total_return_index"]
    assert_frame_equal(
        total_returns(rebuilt).select(columns),
        total_returns(adjusted).select(columns),
        rel_tol=1e-9,
        abs_tol=0,
    )
    values = list(BAR_SCHEMA.names())
    assert_frame_equal(rebuilt.select(values), adjusted.select(values), rel_tol=1e-12, abs_tol=0)


def test_a_history_that_grew_out_of_compact_answers_is_the_same(sample: RecordedMarket) -> None:
    """AAPL split on 2005-02-28: 100 sessions at a time, as a free key gets them."""
    first, last = date(2004, 9, 1), date(2005, 9, 1)
    market = RecordedMarket(
        "sample", "XNYS", sample.bars.filter(symbol="AAPL").filter(pl.col("session") >= first)
    )
    days = [*CALENDAR.sessions(first, last)[60::60], last]
    pairs = [
        (CALENDAR.known_at(day), body)
        for turn, day in enumerate(days)
        for body in bodies(
            market.as_seen_on(day),
            PARTS,
            first_id=10 * turn,
            size="compact",
            fetched_at=CALENDAR.known_at(day),
        )
    ]
    rows, nights = replay_bodies(pairs, NOTHING, CALENDAR)
    assert [night.done.unreadable for night in nights] == [()] * len(days)
    truth = market.as_seen_on(last)
    values = list(BAR_SCHEMA.names())
    assert_frame_equal(rows.select(values), truth, rel_tol=1e-12, abs_tol=0)
    assert rows.filter(pl.col("split_coefficient") != 1).height == 1


def test_nothing_is_made_while_a_part_is_missing() -> None:
    """Bars without their splits would be a false crash."""
    parts = bodies(bars_of("IBM", [10.0, 11.0]), PARTS)
    for missing in parts:
        assert ingested([part for part in parts if part is not missing]).is_empty()
    assert ingested(parts).height == 2


def test_what_is_announced_counts_from_its_day_on() -> None:
    """The vendor lists declared dividends and splits weeks ahead."""
    closes = [10.0, 10.0, 10.0, 10.0]
    announced = bars_of("IBM", closes, dividend_amount={3: 1.0}, split_coefficient={3: 2.0})
    _, dividends, splits = bodies(announced, PARTS)
    plain = bodies(announced.head(3), PARTS[:1])
    rows = ingested([*plain, dividends, splits])
    assert rows["adjusted_close"].to_list() == [10.0] * 3
    assert rows["split_coefficient"].to_list() == [1.0] * 3
    assert rows["dividend_amount"].to_list() == [0.0] * 3


def test_an_action_on_a_day_without_a_bar_counts_on_the_next_one() -> None:
    """Else the dividend of a halted day is lost; one from before all bars must not return."""
    bars = bars_of("IBM", [10.0] * 6, dividend_amount={0: 5.0, 3: 1.0}, split_coefficient={3: 2.0})
    _, dividends, splits = bodies(bars, PARTS)
    gap = bars.filter(~pl.col("session").is_in([bars["session"][0], bars["session"][3]]))
    rows = ingested([*bodies(gap, PARTS[:1]), dividends, splits])
    assert rows["dividend_amount"].to_list() == [0.0, 0.0, 1.0, 0.0]
    assert rows["split_coefficient"].to_list() == [1.0, 1.0, 2.0, 1.0]


def test_what_is_stored_survives_a_list_that_begins_later() -> None:
    """Changing from a premium key to a free one must not erase the splits of the past."""
    bars = bars_of("IBM", [10.0] * 5, split_coefficient={1: 2.0}, dividend_amount={2: 0.5})
    stored = ingested(bodies(bars, [DAILY_FUNCTION])).select(NOTHING.columns)
    silent = bars_of("IBM", [10.0] * 5)
    rows = ingested(bodies(silent, PARTS, first_id=5), stored)
    assert rows.is_empty(), "nothing is new, nothing was revised"


@pytest.mark.parametrize("move", [0.5, 2.1])
def test_a_jump_after_the_lists_were_made_is_held_back(move: float) -> None:
    """A split that nobody has told of yet would enter as a return."""
    bars = bars_of("IBM", [10.0, 10.0, 10.0, 10.0 * move, 10.0 * move])
    earlier = bodies(bars, PARTS, fetched_at=CALENDAR.known_at(bars["session"][2]))
    later = bodies(bars, PARTS, fetched_at=AS_OF)
    held_back = ingested([later[0], *earlier[1:]])
    assert held_back["session"].to_list() == bars["session"][:3].to_list()
    assert ingested(later).height == 5


def test_an_unreadable_part_is_named_and_takes_nothing() -> None:
    """The other symbols go on."""
    plain, dividends, splits = bodies(bars_of("FB", [10.0]), PARTS)
    broken = LandedBody(9, "FB", splits.body.replace("data", "date"), splits.function, AS_OF)
    good = bodies(bars_of("IBM", [10.0]), PARTS, first_id=20)
    arrived = [plain, dividends, broken, *good]
    known = KnownPrices(NOTHING, newest_of(arrived), NO_DOUBTS)
    done = ingest_bodies(known, arrived, as_of=AS_OF, calendar=CALENDAR)
    assert done.rows["symbol"].to_list() == ["IBM"]
    assert done.unreadable[0].startswith("FB: the vendor's splits can't be read: 'data' is None")


def test_a_close_of_zero_spoils_no_other_day() -> None:
    """Vendors send them; the adjusted close of every earlier day would be no number."""
    bars = bars_of("IBM", [10.0, 0.0, 10.0], dividend_amount={2: 1.0})
    zero = bars.with_columns(close=pl.Series([10.0, 0.0, 10.0]))
    rows = ingested(bodies(zero, PARTS))
    assert rows.is_empty() or rows["adjusted_close"].is_finite().all()
