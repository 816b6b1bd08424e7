"""The scorer can fail a judge: one that is silent, one that cries always, one that is late."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from pipelines.anomalies.catalogue import MARKET
from pipelines.anomalies.fault_injection.injection import FAULT_SCHEMA, InjectedFaults, inject
from pipelines.anomalies.fault_injection.kinds import FAULT_KINDS, FaultKind
from pipelines.anomalies.fault_scoring import (
    DetectionRates,
    Detections,
    detect,
    exact_interval,
    rates,
)
from pipelines.markets.simulated import simulate_market
from pipelines.markets.simulation.settings import SimulationSettings

HARD, SOFT = FAULT_KINDS["unit_of_run"], FAULT_KINDS["stale_run"]


@pytest.fixture(scope="module")
def injected() -> InjectedFaults:
    """A small market of which half the symbols bear a run of bars in a wrong unit."""
    market, _ = simulate_market(SimulationSettings(30, 120, seed=4))
    return inject(market.bars, HARD, np.random.default_rng(8))


def flags(rows: pl.DataFrame, severity: str = "high") -> pl.DataFrame:
    """Return rows as what a judge flagged."""
    return rows.select("symbol", "session", severity=pl.lit(severity))


def judged(injected: InjectedFaults, alarms: pl.DataFrame) -> DetectionRates:
    """Return the rates of what was flagged."""
    return rates([detect(injected, alarms, HARD)])


def wrong_bars(injected: InjectedFaults) -> pl.DataFrame:
    """Return the bars inside the faults."""
    spans = injected.faults.select("symbol", "last_session", first="session")
    beside = injected.bars.join(spans, on="symbol")
    return beside.filter(pl.col("session").is_between("first", "last_session"))


def test_a_judge_who_flags_nothing_finds_nothing(injected: InjectedFaults) -> None:
    """Recall of 100 % by default would make every benchmark pass."""
    silent = judged(injected, flags(injected.bars.clear()))
    assert silent.recall == 0
    assert silent.share_kept_out == 0
    assert silent.false_alarms == 0
    assert silent.delays == ()


def test_a_judge_who_flags_everything_is_not_believed(injected: InjectedFaults) -> None:
    """It finds all there is, at the price of every clean bar."""
    loud = judged(injected, flags(injected.bars))
    assert loud.recall == 1
    assert loud.precision < 0.05
    assert loud.per_ten_thousand(loud.false_high) == 10_000
    assert loud.clean_bars + loud.true_alarms == injected.bars.height


def test_a_judge_who_knows_the_faults_is_perfect(injected: InjectedFaults) -> None:
    """The positions that injection returns are those that the scorer looks at."""
    perfect = judged(injected, flags(wrong_bars(injected)))
    assert (perfect.recall, perfect.precision, perfect.share_kept_out) == (1, 1, 1)
    assert set(perfect.delays) == {0}


DAYS = [date(2024, 1, day) for day in range(1, 32)]


def one_fault(first: int, last: int) -> InjectedFaults:
    """Return two symbols of a bar a day, of which A is faulty on some days, by their number."""
    bars = pl.DataFrame(
        {"symbol": ["A"] * 31 + ["B"] * 31, "session": DAYS * 2, "close": [1.0] * 62}
    )
    row = ("kind", "A", DAYS[first], DAYS[last], last - first + 1, "variant", 1.0)
    faults = pl.DataFrame([row], schema=FAULT_SCHEMA, orient="row")
    return InjectedFaults(bars, faults, sessions=pl.Series("session", DAYS))


def flagged(*rows: tuple[str, int, str]) -> pl.DataFrame:
    """Return what a judge flagged: symbol, number of the day, severity."""
    return pl.DataFrame(
        [(symbol, DAYS[day], severity) for symbol, day, severity in rows],
        schema={"symbol": pl.String, "session": pl.Date, "severity": pl.String},
        orient="row",
    )


def found(fault: InjectedFaults, *rows: tuple[str, int, str], kind: FaultKind = HARD) -> Detections:
    """Return what is made of some flags."""
    return detect(fault, flagged(*rows), kind)


def test_a_flag_beside_the_fault_is_a_false_alarm_and_no_find() -> None:
    """To withhold the clean bar after a wrong one is as bad as to miss the wrong one."""
    detections = found(one_fault(5, 6), ("A", 4, "high"), ("A", 7, "high"), ("B", 5, "high"))
    assert detections.faults["is_found"].to_list() == [False]
    assert detections.false_alarms.height == 3
    assert detections.true_alarms == 0
    assert detections.clean_bars == 60


def test_some_kinds_may_be_told_of_a_session_later() -> None:
    """A missing session is seen when the next bar comes: that bar is no false alarm then."""
    detections = found(one_fault(5, 6), ("A", 7, "medium"), kind=FAULT_KINDS["gap"])
    assert detections.faults["is_found"].to_list() == [True]
    assert detections.faults["delay"].to_list() == [2]
    assert detections.false_alarms.is_empty()


def test_a_hard_fault_needs_a_flag_that_withholds() -> None:
    """A wrong bar that a person may look at has reached the models by then."""
    assert not found(one_fault(5, 6), ("A", 5, "medium")).faults["is_found"].item()
    soft = found(one_fault(5, 6), ("A", 5, "medium"), kind=SOFT)
    assert soft.faults["is_found"].item()
    assert not found(one_fault(5, 6), ("A", 5, "low"), kind=SOFT).faults["is_found"].item()


def test_the_delay_counts_to_the_first_flag_that_is_grave_enough() -> None:
    """A hint on the first day and a withheld bar on the fourth is a delay of three."""
    detections = found(one_fault(5, 9), ("A", 5, "low"), ("A", 8, "critical"), ("A", 9, "high"))
    assert detections.faults.select("delay", "kept_out", "due").row(0) == (3, 2, 5)


def test_a_permanent_fault_that_is_seen_too_late_is_not_found() -> None:
    """Any flag in the rest of the history would count, chance finds included."""
    assert found(one_fault(5, 30), ("A", 25, "high")).faults["is_found"].item()
    late = found(one_fault(5, 30), ("A", 26, "high"))
    assert not late.faults["is_found"].item()
    assert late.false_alarms.is_empty()
    assert late.faults.select("kept_out", "due").row(0) == (0, 21)


def test_a_bar_with_several_flags_counts_once_as_the_gravest() -> None:
    """Two rules that break on one clean bar are one morning's false alarm."""
    sums = rates([found(one_fault(5, 6), ("B", 9, "low"), ("B", 9, "high"), ("B", 3, "medium"))])
    assert (sums.false_medium, sums.false_high) == (2, 1)


def test_what_is_said_of_a_session_later_has_the_delay_of_the_saying() -> None:
    """A gap is dated by its first missing session, and nobody knows of it before the next bar."""
    alarms = flagged(("A", 5, "medium")).with_columns(seen=pl.lit(DAYS[9]))
    detections = detect(one_fault(5, 8), alarms, FAULT_KINDS["gap"])
    assert detections.faults["delay"].to_list() == [4]


def test_an_alarm_of_the_whole_market_counts_where_a_symbol_is_faulty() -> None:
    """A session that nobody has is told once; told on a good day, it is a false alarm."""
    detections = found(one_fault(5, 6), (MARKET, 6, "high"), (MARKET, 9, "high"))
    assert detections.faults["is_found"].to_list() == [True]
    assert detections.false_alarms["symbol"].to_list() == [MARKET]


def test_rates_of_several_panels_are_those_of_their_sums() -> None:
    """A mean of shares would let a panel of one fault weigh as much as one of a thousand."""
    sums = rates(
        [found(one_fault(5, 6), ("A", 5, "high"), ("B", 1, "high")), found(one_fault(8, 8))]
    )
    assert (sums.faults, sums.found, sums.recall) == (2, 1, 0.5)
    assert (sums.kept_out, sums.due) == (1, 3)
    assert sums.precision == 0.5
    assert sums.clean_bars == 60 + 61


@pytest.mark.parametrize(
    ("hits", "trials", "lower", "upper"),
    [
        pytest.param(0, 100, 0.0, 0.03622, id="rule of three, two-sided: 1 - 0.025^(1/100)"),
        pytest.param(100, 100, 0.96378, 1.0, id="its mirror image"),
        pytest.param(5, 10, 0.18709, 0.81291, id="Clopper and Pearson's chart"),
    ],
)
def test_the_interval_is_the_exact_one(hits: int, trials: int, lower: float, upper: float) -> None:
    """An approximate one has no width at zero alarms, which is where it is needed."""
    assert exact_interval(hits, trials) == pytest.approx((lower, upper), abs=1e-5)
