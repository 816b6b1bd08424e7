"""Proof by mutation: whatever comes after a session, in any symbol, its judgements stay."""

import numpy as np
import polars as pl
import pytest

from pipelines.anomalies.fault_injection.injection import inject
from pipelines.anomalies.fault_injection.kinds import FAULT_KINDS
from pipelines.anomalies.judging import judge_history
from pipelines.markets.simulated import simulate_market
from pipelines.markets.simulation.settings import SimulationSettings
from tests.support.mutation import assert_past_unmoved

KINDS = ("unit_of_run", "split_not_applied", "wrong_symbol", "stale_run", "gap", "volume_unit")


def judged(bars: pl.DataFrame) -> pl.DataFrame:
    """Return judgements with the day they are known on: a gap is known when the next bar is."""
    return judge_history(bars).with_columns(known_on=pl.col("known_at").dt.date())


@pytest.mark.parametrize("seed", [1, 2])
def test_no_later_bar_moves_a_judgement(seed: int) -> None:
    """What models are trained on would depend on what nobody could know."""
    rng = np.random.default_rng(seed)
    bars = simulate_market(SimulationSettings(symbols=25, sessions=150, seed=seed))[0].bars
    for kind in KINDS:
        bars = inject(bars, FAULT_KINDS[kind], rng, share=0.2).bars
    for session in (bars["session"].unique().sort()[row] for row in (70, 110)):
        assert_past_unmoved(judged, bars, session, rng, known_on="known_on")


def test_the_proof_fails_where_judging_looks_ahead() -> None:
    """A proof that nothing can fail proves nothing."""
    rng = np.random.default_rng(3)
    bars = simulate_market(SimulationSettings(symbols=25, sessions=150, seed=3))[0].bars
    bars = inject(bars, FAULT_KINDS["unit_of_run"], rng).bars

    def withdrawn(some: pl.DataFrame) -> pl.DataFrame:
        """Withdraw findings of symbols whose last close is as it was."""
        back = some.group_by("symbol").agg(is_back=pl.col("close").last() > 50)
        return judged(some).join(back, on="symbol").filter(~pl.col("is_back")).drop("is_back")

    with pytest.raises(AssertionError):
        assert_past_unmoved(
            withdrawn, bars, bars["session"].unique().sort()[110], rng, known_on="known_on"
        )
