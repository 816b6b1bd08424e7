"""Live sessions must refute a model whose signal is gone, and let a true one be."""

from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from scipy.special import ndtri

from pipelines.lifecycle.live_skill import (
    FEWEST_JUDGED,
    MOST_JUDGED,
    LiveSkill,
    judge,
    live_skill,
    sessions_to_judge,
)
from pipelines.signals.scoring import LookAheadError
from pipelines.validation.logistic import expit
from tests.support.trained_signals import small_panel, small_training

STRENGTH, COMMON = 0.2, 0.3


def lived(sign: float, *, symbols: int = 500, seed: int = 1) -> LiveSkill:
    """Return ten sessions of a model whose stated log-odds are the truth times `sign`."""
    rng = np.random.default_rng(seed)
    odds = STRENGTH * rng.standard_normal((10, symbols))
    shock = COMMON**0.5 * rng.standard_normal((10, 1))
    own = (1 - COMMON) ** 0.5 * rng.standard_normal((10, symbols))
    is_up = ndtri(1 - expit(sign * odds)) < shock + own
    session = np.repeat(np.arange(10), symbols)
    found = live_skill(odds.ravel(), is_up.ravel(), session, base_rate=0.5)
    assert found is not None
    return found


@pytest.mark.parametrize("sign", [0.0, -1.0], ids=["faded", "flipped"])
def test_two_weeks_refute_a_signal_that_is_gone(sign: float) -> None:
    """A model that is wrong for longer than two weeks costs money every night."""
    found = lived(sign)
    assert found.refutes(alpha=0.002)
    assert not found.confirms(alpha=0.02)


def test_two_weeks_confirm_a_true_signal() -> None:
    """A model that knows something must be let be, and brought back."""
    found = lived(1.0)
    assert found.confirms(alpha=0.002)
    assert not found.refutes(alpha=0.5)


def test_a_true_model_is_refuted_and_an_empty_one_confirmed_no_more_often_than_alpha() -> None:
    """Symbols that move together are no evidence of their number."""
    true, empty = ([lived(sign, symbols=40, seed=seed) for seed in range(300)] for sign in (1, 0))
    assert sum(one.claim_p < 0.05 for one in true) <= 30
    assert sum(one.knowledge_p < 0.05 for one in empty) <= 30


def test_a_model_that_says_the_same_of_all_is_not_judged() -> None:
    """It claims nothing that could be refuted."""
    session = np.repeat(np.arange(20), 5)
    assert live_skill(np.zeros(100), session % 2 == 0, session, base_rate=0.5) is None


@pytest.mark.parametrize(
    ("rows", "sessions"), [(500, 10), (10_000, FEWEST_JUDGED), (100, 50), (5, MOST_JUDGED)]
)
def test_few_sessions_of_many_symbols_judge_as_well_as_many_of_few(
    rows: float, sessions: int
) -> None:
    """As few as hold the rows, within a quarter."""
    assert sessions_to_judge(rows) == sessions


def test_only_the_newest_sessions_judge_and_none_that_was_seen() -> None:
    """What was true a year ago says nothing of today; what was learned from says nothing at all."""
    ahead, model = timedelta(days=3650), small_training().final
    later = small_panel().with_columns(pl.col("session", "label_end") + ahead)
    found = judge(model, later)
    assert found is not None
    newest = later["session"].unique().sort().tail(found.sessions)[0]
    is_old = pl.col("session") < newest
    other = later.with_columns(is_up=pl.when(is_old).then(~pl.col("is_up")).otherwise("is_up"))
    assert judge(model, other) == found
    with pytest.raises(LookAheadError, match="can't be judged by"):
        judge(model, small_panel())
