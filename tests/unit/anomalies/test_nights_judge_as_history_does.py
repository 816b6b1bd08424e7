"""Judged night by night, judged anew by the lake's query, judged in memory: the same rows.

Histories are random, with faults in them; they come in random nights, some symbols and bars late,
some bars revised, some judgements overruled.
"""

import numpy as np
import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from pipelines.anomalies.fault_injection.injection import inject
from pipelines.anomalies.fault_injection.kinds import FAULT_KINDS
from pipelines.anomalies.judging import judge_history
from pipelines.markets.recorded import with_adjusted_close
from pipelines.markets.simulated import simulate_market
from pipelines.markets.simulation.settings import SimulationSettings
from tests.support.judged_nights import KEY, JudgedNights, stored_rows

SYMBOLS, NIGHTS = 22, 110
PRICES = ("open", "high", "low", "close")
KINDS = ("unit_of_run", "split_not_applied", "split_on_some_rows", "wrong_symbol", "stale_run")


def faulty_history(rng: np.random.Generator) -> pl.DataFrame:
    """Return a market with faults of several kinds, a crash, and two days that nobody has."""
    asked = SimulationSettings(symbols=SYMBOLS, sessions=NIGHTS, seed=int(rng.integers(1000)))
    bars = simulate_market(asked)[0].bars
    for name in (*rng.permutation(KINDS)[:3], "gap"):
        bars = inject(bars, FAULT_KINDS[str(name)], rng, share=0.25).bars
    days = bars["session"].unique().sort()
    crash = days[int(rng.integers(40, NIGHTS))]
    factor = float(rng.choice([1.0, 0.93, 0.88]))
    fallen = (
        pl.when(pl.col("session") >= crash).then(pl.col(name) * factor).otherwise(name).round(4)
        for name in PRICES
    )
    lost = [days[int(row)] for row in rng.integers(5, NIGHTS - 5, 2)]
    return with_adjusted_close(bars.with_columns(*fallen).filter(~pl.col("session").is_in(lost)))


def revised(bar: pl.DataFrame, known: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Return a bar, or its symbol's history, as the vendor sends it another time."""
    same_day = known.filter(pl.col("session") == bar["session"][0])
    other = same_day[int(rng.integers(same_day.height))]
    symbol = known.filter(pl.col("symbol") == bar["symbol"][0])
    ways = (
        bar.with_columns(pl.col(PRICES) * float(rng.choice([0.5, 2.0, 1.01, 10.0]))),
        bar.with_columns(split_coefficient=pl.lit(float(rng.choice([1.0, 2.0])))),
        bar.with_columns(volume=pl.col("volume") * 100),
        bar.with_columns(close=pl.lit(0.0)),
        bar.with_columns(other[name].alias(name) for name in (*PRICES, "volume")),
        symbol.with_columns(adjusted_close=pl.col("adjusted_close") * 0.97),
    )
    return ways[int(rng.integers(len(ways)))]


def lived_through(rng: np.random.Generator) -> JudgedNights:
    """Return tables that were brought up to date night after night."""
    bars = faulty_history(rng)
    nights = JudgedNights.over(bars["session"])
    days = bars["session"].unique().sort()
    late_symbol = str(bars["symbol"][int(rng.integers(bars.height))])
    waiting = bars.filter(symbol=late_symbol)
    coming = bars.filter(pl.col("symbol") != late_symbol)
    cuts = sorted(rng.choice(np.arange(30, days.len()), size=4, replace=False))
    for number, (first, last) in enumerate(zip([0, *cuts], [*cuts, days.len()], strict=True)):
        arrived = coming.filter(pl.col("session").is_in(days[int(first) : int(last)].implode()))
        held = arrived.sample(fraction=0.01, seed=int(rng.integers(2**31)))
        due = waiting.filter(pl.col("session") < days[int(last) - 1]) if number else held.clear()
        nights.put(stored_rows(arrived.join(held, on=["symbol", "session"], how="anti")))
        nights.put(stored_rows(due))
        waiting = pl.concat([waiting.join(due, on=["symbol", "session"], how="anti"), held])
        if number:
            _look_back(nights, rng, number)
        nights.judge()
    return nights


def _look_back(nights: JudgedNights, rng: np.random.Generator, number: int) -> None:
    """Revise up to three bars, and overrule up to three judgements."""
    known = nights.table("daily_prices")
    for row in rng.integers(known.height, size=int(rng.integers(4))):
        revision = stored_rows(revised(known[int(row)], known, rng), revision=number + 1)
        nights.put(revision)
    judged = nights.judgements().filter(pl.col("revision") > 0)
    some = judged.sample(min(3, judged.height), seed=int(rng.integers(2**31)))
    about = some.select("symbol", "session", "revision").unique(maintain_order=True)
    words = [str(word) for word in rng.choice(["release", "confirm"], about.height)]
    nights.decide(about, words, number=number)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32 - 1))
def test_nights_in_any_order_give_the_rows_of_the_whole_history(seed: int) -> None:
    """Judgements would depend on when the desk was switched on."""
    nights = lived_through(np.random.default_rng(seed))
    by_night = nights.judgements()
    nights.judge_from_nothing()
    anew = nights.judgements()
    assert not anew.is_empty()
    assert_frame_equal(by_night, anew)
    in_memory = judge_history(nights.bars_with_verdicts()).select(anew.columns).sort(KEY)
    assert_frame_equal(anew.cast(in_memory.schema), in_memory)  # type: ignore[arg-type]
