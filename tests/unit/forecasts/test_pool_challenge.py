"""A challenger beside the reigning pool: who wins, by what, and how often by luck."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from pipelines.forecasts.evaluation import FIGURES, Evaluations
from pipelines.forecasts.pool_challenge import BLOCK, PoolComparison, Walk, compare_pools
from pipelines.forecasts.pool_promotion import PoolDecision, decide
from pipelines.forecasts.quantiles import FloatArray
from pipelines.forecasts.settings import HORIZONS
from pipelines.lifecycle.evidence import Canary, CanaryName
from pipelines.lifecycle.promotion import Verdict

ORIGINS = 6 * BLOCK
SESSIONS = [date(2012, 1, 2) + timedelta(days=day) for day in range(ORIGINS + 300)]
GOOD = (Canary(CanaryName.REPEAT, passed=True, note="alike"),)


def overlapping(rng: np.random.Generator, origins: int = ORIGINS) -> FloatArray:
    """Return origins × horizons of sums over the sessions of each horizon, in their deviations."""
    steps = rng.standard_normal(origins + max(HORIZONS))
    total = np.concatenate([[0.0], np.cumsum(steps)])
    return np.stack([(total[h : h + origins] - total[:origins]) / h**0.5 for h in HORIZONS], axis=1)


def evaluations(crps: FloatArray, hits: FloatArray, *, first: int = 251) -> Evaluations:
    """Return evaluations of a pool of one model with such scores and levels of outcomes."""
    figures = np.full((*crps.shape, 3, len(FIGURES)), np.nan)
    figures[:, :, -1, 0], figures[:, :, -1, 1] = crps, hits
    return Evaluations(("random_walk", "pool", "published"), first, np.zeros(crps.shape), figures)


def walk(gain: float, seed: int, *, noise: float = 0.05) -> Walk:
    """Return a walk on which the challenger's CRPS is smaller by a share, but for noise."""
    rng = np.random.default_rng(seed)
    hits = rng.uniform(size=(ORIGINS, len(HORIZONS)))
    scores = np.ones((ORIGINS, len(HORIZONS)))
    differing = scores - gain + noise * overlapping(rng)
    return Walk(SESSIONS, evaluations(scores, hits), evaluations(differing, hits))


def compared(walks: list[Walk]) -> PoolComparison:
    """Return the comparison that there must be."""
    found = compare_pools(walks)
    assert found is not None
    return found


def judged(found: PoolComparison | None, *, alpha: float = 0.05) -> PoolDecision:
    """Return the decision by good canaries."""
    return decide(GOOD, found, champion="old", alpha=alpha)


def test_a_better_pool_is_promoted_and_a_decision_is_read_back_as_it_was() -> None:
    """What a person reads tomorrow is what was decided tonight."""
    found = compared([walk(0.05, 1), walk(0.05, 2)])
    assert (found.sessions, found.portfolios) == (ORIGINS, 2)
    assert found.gain == pytest.approx(0.05, abs=0.03)
    decision = judged(found)
    assert decision.verdict is Verdict.PROMOTED
    assert PoolDecision.from_document(decision.to_document()) == decision


def test_a_worse_pool_is_kept_out_and_a_failing_canary_blocks() -> None:
    """Whatever it gains, a pool that fails a control is not trusted."""
    assert judged(compared([walk(-0.05, 1)])).verdict is Verdict.KEPT
    bad = (Canary(CanaryName.LEAK, passed=False, note="caught: none"),)
    decision = decide(bad, compared([walk(0.2, 1)]), champion="old", alpha=0.05)
    assert (decision.verdict, "planted" in decision.reason) == (Verdict.BLOCKED, True)


def test_too_few_sessions_decide_nothing_and_spend_nothing() -> None:
    """Luck of a month is no evidence."""
    short = walk(0.2, 1)
    cut = [
        replace(one, figures=one.figures[: 3 * BLOCK - 1])
        for one in (short.champion, short.challenger)
    ]
    assert compare_pools([Walk(SESSIONS, *cut)]) is None
    assert compare_pools([]) is None
    decision = judged(None)
    assert (decision.verdict, decision.alpha) == (Verdict.KEPT, 0.0)
    assert "126 sessions" in decision.reason


def test_a_gain_by_bands_that_miss_is_kept_out() -> None:
    """A pool that covers half of what it says is no better, whatever its score."""
    better = walk(0.1, 1)
    narrow = evaluations(
        better.challenger.figures[:, :, -1, 0], better.challenger.figures[:, :, -1, 1].round()
    )
    decision = judged(compared([replace(better, challenger=narrow)]))
    assert (decision.verdict, "is_calibrated" in decision.reason) == (Verdict.KEPT, True)


def test_origins_are_paired_by_their_session() -> None:
    """A challenger that began later is compared on what both have, shifted by nothing."""
    rng = np.random.default_rng(1)
    scores = 1 + rng.uniform(size=(ORIGINS, len(HORIZONS)))
    hits = rng.uniform(size=scores.shape)
    later = evaluations(scores[BLOCK:], hits[BLOCK:], first=251 + BLOCK)
    found = compared([Walk(SESSIONS, evaluations(scores, hits), later)])
    assert (found.sessions, found.gain, found.p_value) == (ORIGINS - BLOCK, 0.0, 0.5)


def test_a_pool_without_merit_wins_about_as_often_as_the_level_says() -> None:
    """Outcomes overlap: a test that took them for independent would pass far oftener."""
    trials = 600
    wins = sum(compared([walk(0.0, seed, noise=0.2)]).p_value < 0.05 for seed in range(trials))
    assert 0.02 < wins / trials < 0.09
