"""Profiles look at the past alone, and a market's common move makes no symbol remarkable."""

from datetime import date

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines.anomalies.profiles import LOOK_BACK, PROFILE_NAMES, profile_bars
from tests.support.mutation import assert_past_unmoved
from tests.support.profiles import simulated_clean

CLEAN = simulated_clean()
SESSIONS = CLEAN["session"].unique().sort().to_list()
TONIGHT = SESSIONS[-1]


def profiled(clean: pl.DataFrame, withheld: pl.DataFrame | None = None) -> pl.DataFrame:
    """Return profiles of clean bars, and of withheld ones if there are any."""
    return profile_bars(clean, CLEAN.clear() if withheld is None else withheld)


def on(profiles: pl.DataFrame, session: date) -> pl.DataFrame:
    """Return the profiles of one session."""
    return profiles.filter(pl.col("session") == session)


def scaled(prices: float, *, symbol: str | None = None) -> pl.DataFrame:
    """Return the bars with tonight's prices, of one symbol or of all, multiplied."""
    is_moved = pl.col("session") == TONIGHT
    if symbol is not None:
        is_moved &= pl.col("symbol") == symbol
    names = ("open", "high", "low", "close", "total_return_index")
    return CLEAN.with_columns(
        pl.when(is_moved).then(pl.col(name) * prices).otherwise(name) for name in names
    )


def test_no_later_bar_moves_a_profile() -> None:
    """Scores of the past would change with the future, and no night could be replayed."""
    numbers = CLEAN.select("symbol", "session", "open", "high", "low", "close", "volume").sort(
        "symbol", "session"
    )
    extra = CLEAN.select("session", "ordinal").unique()
    scales = pl.col("close")

    def compute(bars: pl.DataFrame) -> pl.DataFrame:
        factors = bars.join(extra, on="session").with_columns(
            split_factor=pl.lit(1.0), total_return_index=scales
        )
        return profiled(factors)

    assert_past_unmoved(compute, numbers, SESSIONS[-20], np.random.default_rng(1))


def test_a_look_back_is_all_that_a_profile_reads() -> None:
    """A night reads so much and no more; the first load reads everything."""
    tail = CLEAN.filter(pl.col("session") >= SESSIONS[-1 - LOOK_BACK])
    assert_frame_equal(on(profiled(tail), TONIGHT), on(profiled(CLEAN), TONIGHT), check_exact=True)


def test_a_fall_of_the_whole_market_makes_no_symbol_remarkable() -> None:
    """A crash would be a night of alerts about every symbol, and hide the one that is wrong."""
    crash = on(profiled(scaled(0.8)), TONIGHT)
    alone = on(profiled(scaled(0.8, symbol="S00001")), TONIGHT)
    of_one = alone.filter(symbol="S00001")["return_score"].item()
    assert of_one < -8
    assert crash["return_score"].abs().max() < 5


def test_a_split_is_no_move() -> None:
    """Every split would be an alert."""
    is_tonight = (pl.col("session") == TONIGHT) & (pl.col("symbol") == "S00001")
    split = CLEAN.with_columns(
        *(
            pl.when(is_tonight).then(pl.col(name) / 2).otherwise(name).alias(name)
            for name in ("open", "high", "low", "close")
        ),
        split_factor=pl.when(is_tonight).then(pl.col("split_factor") * 2).otherwise("split_factor"),
        volume=pl.when(is_tonight).then(pl.col("volume") * 2).otherwise("volume"),
    )
    before, after = (
        on(profiled(bars), TONIGHT).filter(symbol="S00001").select(PROFILE_NAMES)
        for bars in (CLEAN, split)
    )
    # One share more in a million of volume is the rounding of log(volume + 1).
    assert_frame_equal(before, after, abs_tol=1e-4)


def test_a_withheld_bar_is_judged_by_the_clean_past_and_stays_out_of_it() -> None:
    """Verdicts are about withheld bars: without scores nothing could be learnt from them."""
    is_bad = (pl.col("session") == SESSIONS[-2]) & (pl.col("symbol") == "S00001")
    bad = CLEAN.filter(is_bad).with_columns(
        pl.col("open", "high", "low", "close") * 10, split_coefficient=pl.lit(1.0)
    )
    without = CLEAN.filter(~is_bad)
    judged = profiled(without, bad).filter(~pl.col("is_clean"))
    assert judged["return_score"].item() > 50
    assert judged["log_return"].item() == pytest.approx(np.log(10), abs=0.1)
    assert_frame_equal(
        profiled(without, bad).filter("is_clean"), profiled(without), check_exact=True
    )


def test_a_short_past_or_a_long_pause_or_a_price_of_zero_gives_no_profile() -> None:
    """A number made of nothing would be compared with numbers that mean something."""
    early = on(profiled(CLEAN), SESSIONS[15])
    assert early["return_score"].null_count() == early.height
    paused = CLEAN.filter(~pl.col("session").is_between(SESSIONS[-8], SESSIONS[-2]))
    assert on(profiled(paused), TONIGHT)["return_score"].is_null().all()
    worthless = on(profiled(scaled(0.0, symbol="S00001")), TONIGHT).filter(symbol="S00001")
    assert worthless.select(PROFILE_NAMES).null_count().sum_horizontal().item() == len(
        PROFILE_NAMES
    )
