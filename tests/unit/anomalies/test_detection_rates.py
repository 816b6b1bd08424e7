"""The rules find what is injected into a small market, at the rates that are claimed.

`make bench-anomalies` measures the rates; here they are held. A claim fails when what is seen would
happen less than once in 2,000 times if it were true: by then a rule is broken, not unlucky.
"""

from collections.abc import Callable
from zlib import crc32

import numpy as np
import polars as pl
import pytest

from pipelines.anomalies.fault_injection.injection import InjectedFaults, inject
from pipelines.anomalies.fault_injection.kinds import FAULT_KINDS, FaultKind
from pipelines.anomalies.fault_scoring import (
    HIGH,
    DetectionRates,
    Detections,
    alarm_levels,
    detect,
    exact_interval,
    rates,
)
from pipelines.anomalies.judging import judge_history
from pipelines.markets.simulated import simulate_market
from pipelines.markets.simulation.settings import SimulationSettings

ASKED_KINDS = [kind for kind in FAULT_KINDS.values() if kind.asked_recall is not None]
SURE = 0.999
"""Of two-sided intervals: each end is passed once in 2,000 times."""
FALSE_ALARMS = 1e-4
SEEDS = (501, 502)

Judged = dict[int, tuple[InjectedFaults, pl.DataFrame]]


@pytest.fixture(scope="module")
def markets() -> dict[int, pl.DataFrame]:
    """Two small markets that no rule was tuned on."""
    return {seed: simulate_market(SimulationSettings(50, 130, seed=seed))[0].bars for seed in SEEDS}


@pytest.fixture(scope="module")
def judged(markets: dict[int, pl.DataFrame]) -> Callable[[FaultKind], Judged]:
    """Faults of a kind in both markets, and what the rules find, each worked out once."""
    known: dict[str, Judged] = {}

    def of(kind: FaultKind) -> Judged:
        if kind.name not in known:
            known[kind.name] = {}
            for seed, bars in markets.items():
                rng = np.random.default_rng([seed, crc32(kind.name.encode())])
                injected = inject(bars, kind, rng, share=0.6)
                known[kind.name][seed] = injected, judge_history(injected.bars)
        return known[kind.name]

    return of


def rates_of(judged: Judged, kind: FaultKind, *, without: tuple[str, ...] = ()) -> DetectionRates:
    """Return the rates over both markets, with some rules left out."""
    panels: list[Detections] = []
    for injected, anomalies in judged.values():
        left = anomalies.filter(~pl.col("anomaly_type").is_in(without))
        panels.append(detect(injected, left, kind))
    return rates(panels)


def is_possible(found: DetectionRates, asked: float) -> bool:
    """Tell whether a recall can be as large as asked, given what was found."""
    return exact_interval(found.found, found.faults, confidence=SURE)[1] >= asked


@pytest.mark.parametrize("kind", ASKED_KINDS, ids=lambda kind: kind.name)
def test_faults_are_found_as_often_as_is_claimed(
    kind: FaultKind, judged: Callable[[FaultKind], Judged]
) -> None:
    """A rule that regresses lets wrong bars reach the models."""
    assert kind.asked_recall is not None
    found = rates_of(judged(kind), kind)
    assert found.faults >= 40
    assert is_possible(found, kind.asked_recall), f"{found.found} of {found.faults} were found"


@pytest.mark.parametrize("kind", [k for k in ASKED_KINDS if k.is_hard], ids=lambda kind: kind.name)
def test_few_good_bars_are_withheld_beside_a_hard_fault(
    kind: FaultKind, judged: Callable[[FaultKind], Judged]
) -> None:
    """A fault that is found must not drag its symbol's good bars with it."""
    found = rates_of(judged(kind), kind)
    assert found.precision > 0.95
    assert found.share_kept_out > 0.95


def test_next_to_no_clean_bar_is_withheld(markets: dict[int, pl.DataFrame]) -> None:
    """A false alarm costs a person's morning, and the models a good bar."""
    bars = alarms = 0
    for clean in markets.values():
        bars += clean.height
        alarms += alarm_levels(judge_history(clean)).filter(pl.col("level") >= HIGH).height
    assert exact_interval(alarms, bars, confidence=SURE)[0] <= FALSE_ALARMS, f"{alarms} of {bars}"


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("split_not_applied", ("split_not_applied",)),
        ("off_session", ("off_session",)),
        ("stale_run", ("stale_prices", "duplicate_bar")),
        ("gap", ("gap",)),
    ],
)
def test_without_its_rule_a_fault_is_missed_and_the_claim_fails(
    name: str, rules: tuple[str, ...], judged: Callable[[FaultKind], Judged]
) -> None:
    """The claims above would be worth nothing if a missing rule went through them."""
    kind = FAULT_KINDS[name]
    assert kind.asked_recall is not None
    assert not is_possible(rates_of(judged(kind), kind, without=rules), kind.asked_recall)
