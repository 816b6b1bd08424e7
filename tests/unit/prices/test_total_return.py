"""The total return index only ever grows forwards: worked by hand, and by mutation."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from pipelines.prices.total_return import chain_total_returns
from pipelines.tables import CLEAN_PRICES
from tests.support.mutation import assert_past_unmoved
from tests.support.recorded_bars import FIRST_DAY, bars_of

SEED_COLUMNS = {"seed_split_factor": pl.Float64, "seed_units": pl.Float64}


def chain_input(bars: pl.DataFrame, *, withheld: Sequence[int] = ()) -> pl.DataFrame:
    """Return bars as the lake hands them over for a full chain; `withheld` are row numbers."""
    return bars.with_columns(
        pl.lit(None, dtype=pl.Datetime("us", "UTC")).alias("known_at"),
        (~pl.int_range(pl.len()).is_in(list(withheld))).alias("is_clean"),
        pl.lit(value=False).alias("is_seed"),
        *(pl.lit(None, dtype=kind).alias(name) for name, kind in SEED_COLUMNS.items()),
    )


def index_of(bars: pl.DataFrame, *, withheld: Sequence[int] = ()) -> list[float]:
    """Return the index of one symbol's clean bars."""
    chained = chain_total_returns(chain_input(bars, withheld=withheld))
    return chained["total_return_index"].to_list()


def test_without_events_the_index_follows_the_close_from_one() -> None:
    """Every return downstream is a quotient of two index values."""
    assert index_of(bars_of("IBM", [50.0, 55.0, 44.0])) == pytest.approx([1.0, 1.1, 0.88])


def test_a_split_is_no_return() -> None:
    """A two for one split halves the price; as a return it would be the crash of the century."""
    bars = bars_of("IBM", [100.0, 51.0, 51.0], split_coefficient={1: 2.0})
    chained = chain_total_returns(chain_input(bars))
    assert chained["total_return_index"].to_list() == pytest.approx([1.0, 1.02, 1.02])
    assert chained["split_factor"].to_list() == [1.0, 2.0, 2.0]


def test_a_reverse_split_is_no_return_either() -> None:
    """One share for ten old ones."""
    bars = bars_of("AIG", [1.0, 11.0], split_coefficient={1: 0.1})
    assert index_of(bars) == pytest.approx([1.0, 1.1])


def test_a_dividend_is_a_return_of_its_ex_date() -> None:
    """(98 + 1) / 100, then 98 to 98: the money does not come twice."""
    bars = bars_of("KO", [100.0, 98.0, 98.0], dividend_amount={1: 1.0})
    assert index_of(bars) == pytest.approx([1.0, 0.99, 0.99])


def test_a_special_dividend_as_large_as_a_third_of_the_price_is_a_return() -> None:
    """MSFT's three dollars of 2004 and larger ones: the price falls, the holder is not poorer."""
    bars = bars_of("MSFT", [30.0, 20.0, 22.0], dividend_amount={1: 10.0})
    assert index_of(bars) == pytest.approx([1.0, 1.0, 1.1])


def test_a_dividend_on_the_day_of_a_split_is_paid_on_the_new_shares() -> None:
    """One share at 100 becomes two at 49, each paid 1: 2 · (49 + 1) / 100."""
    bars = bars_of("IBM", [100.0, 49.0], split_coefficient={1: 2.0}, dividend_amount={1: 1.0})
    assert index_of(bars) == pytest.approx([1.0, 1.0])


def test_a_split_and_a_dividend_on_withheld_bars_are_carried_over() -> None:
    """The bar's prices can't be trusted, the money was paid all the same.

    One share at 100; a split of 2 and a dividend of 3 a share on bars that are withheld; then two
    shares at 48: (2 · 48 + 2 · 3) / 100.
    """
    bars = bars_of(
        "IBM", [100.0, 0.0, -1.0, 48.0], split_coefficient={1: 2.0}, dividend_amount={2: 3.0}
    )
    chained = chain_total_returns(chain_input(bars, withheld=[1, 2]))
    assert chained["total_return_index"].to_list() == pytest.approx([1.0, 1.02])
    assert chained["split_factor"].to_list() == [1.0, 2.0]


def test_a_dividend_before_the_first_clean_bar_is_nobodys_return() -> None:
    """The index is 1 where it starts; nothing was held before."""
    bars = bars_of("IBM", [100.0, 50.0, 55.0], dividend_amount={0: 9.0})
    assert index_of(bars, withheld=[0]) == pytest.approx([1.0, 1.1])


def test_impossible_splits_and_dividends_of_withheld_bars_count_as_none() -> None:
    """A split of zero would wipe the symbol out for ever, on a bar that is known to be bad."""
    bars = bars_of("IBM", [10.0, 10.0, 10.0], split_coefficient={1: 0.0}, dividend_amount={1: -4.0})
    assert index_of(bars, withheld=[1]) == pytest.approx([1.0, 1.0])


def test_symbols_are_chained_apart_and_withheld_bars_do_not_come_out() -> None:
    """One symbol's dividend must not enrich another."""
    bars = pl.concat([bars_of("A", [10.0, 20.0], dividend_amount={1: 5.0}), bars_of("B", [7.0])])
    chained = chain_total_returns(chain_input(bars, withheld=[2]))
    assert chained["symbol"].to_list() == ["A", "A"]
    assert chained.columns == list(CLEAN_PRICES.column_names)


def walk(seed: int, rows: int) -> pl.DataFrame:
    """Return a random walk rich in splits and dividends."""
    rng = np.random.default_rng(seed)
    closes = 40 * np.exp(np.cumsum(0.03 * rng.standard_normal(rows)))
    splits = {
        row: float(rng.choice([0.1, 1.5, 2.0, 3.0]))
        for row in np.flatnonzero(rng.random(rows) < 0.2)
    }
    paid = {row: float(rng.random()) for row in np.flatnonzero(rng.random(rows) < 0.4)}
    return bars_of("WALK", closes.tolist(), split_coefficient=splits, dividend_amount=paid)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    withheld=st.sets(st.integers(0, 39), max_size=20),
    taken_up=st.integers(1, 39),
)
def test_a_chain_taken_up_anywhere_equals_the_full_chain_bit_for_bit(
    seed: int, withheld: set[int], taken_up: int
) -> None:
    """A table brought up to date would differ from one rebuilt, in the last digit or by far."""
    rows = chain_input(walk(seed, 40), withheld=sorted(withheld))
    full = chain_total_returns(rows)
    change = FIRST_DAY + timedelta(days=taken_up)
    before = full.filter(pl.col("session") < change)
    if before.is_empty():
        return
    seed_row = before.tail(1).with_columns(
        is_clean=True,
        is_seed=True,
        seed_split_factor="split_factor",
        seed_units="total_return_units",
    )
    later = rows.filter(pl.col("session") > before["session"][-1])
    taken = chain_total_returns(pl.concat([seed_row.select(rows.columns), later]))
    assert_frame_equal(pl.concat([before, taken]), full, check_exact=True)


def test_the_future_moves_no_index_of_the_past() -> None:
    """The index would be an adjusted close: its past would change at every dividend."""
    bars = pl.concat([walk(1, 40), walk(2, 40).with_columns(symbol=pl.lit("OTHER"))])

    def chained(rows: pl.DataFrame) -> pl.DataFrame:
        return chain_total_returns(chain_input(rows.sort("symbol", "session")))

    session = FIRST_DAY + timedelta(days=20)
    assert_past_unmoved(chained, bars, session, np.random.default_rng(3))
