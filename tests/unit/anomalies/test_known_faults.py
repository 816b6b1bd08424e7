"""The faults that the recordings are known to have are found, and what is right in them is not."""

import pytest

from benchmarks.anomaly_judges import rules
from benchmarks.known_faults import known_faults


@pytest.mark.slow
def test_every_known_fault_of_the_recordings_is_found() -> None:
    """Injected faults are what we thought of; these are what vendors really did.

    Sessions missing for all, bars that contradict themselves, splits and spin-offs that nobody
    listed, gaps told apart from members that left, closed days with bars; and AAPL's crash, which
    was real.
    """
    wrong = [f"{known.what}: {known.count}" for known in known_faults(rules) if not known.is_met]
    assert wrong == []


@pytest.mark.slow
def test_a_judge_who_finds_nothing_finds_no_known_fault() -> None:
    """Else the list above would be met by anyone."""
    silent = list(known_faults(lambda bars, exchange: rules(bars, exchange).clear()))
    assert {known.asked for known in silent if known.is_met} == {0}
