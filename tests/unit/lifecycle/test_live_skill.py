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
    judge_record,
    live_skill,
    sessions_to_judge,
)
from pipelines.signals.scoring import LookAheadError
from pipelines.validation.logistic import expit
from tests.support.trained_signals import small_panel, small_training

STRENGTH, COMMON = 0.2, 0.3


def outcomes(*signs: float, symbols: int, seed: int) -> dict[str, np.ndarray]:
    """Return sessions of stated log-odds that are the truth times a sign for each session."""
    rng = np.random.default_rng(seed)
    odds = STRENGTH * rng.standard_normal((len(signs), symbols))
    shock = COMMON**0.5 * rng.standard_normal((len(signs), 1))
    own = (1 - COMMON) ** 0.5 * rng.standard_normal((len(signs), symbols))
    is_up = ndtri(1 - expit(np.array(signs)[:, None] * odds)) < shock + own
    session = np.repeat(np.arange(len(signs)), symbols)
    return {"log_odds": odds.ravel(), "is_up": is_up.ravel(), "session": session}


def lived(sign: float, *, symbols: int = 500, seed: int = 1, before: int = 0) -> LiveSkill:
    """Return the last ten sessions, in which log-odds are so true; `before` them they were true."""
    lives = outcomes(*[1.0] * before, *[sign] * 10, symbols=symbols, seed=seed)
    found = live_skill(**lives, base_rate=0.5, newest=10)
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


def test_sessions_before_say_how_sure_two_weeks_are() -> None:
    """Ten sessions hardly know their own spread: a faded signal would be believed for longer."""
    faded = [
        [lived(0.0, symbols=150, seed=seed, before=before) for seed in range(60)]
        for before in (0, 50)
    ]
    alone, after_a_quarter = (sum(one.refutes(alpha=0.002) for one in lives) for lives in faded)
    assert after_a_quarter >= alone + 6
    assert {one.sessions for one in faded[1]} == {10}


def test_sessions_that_differ_more_than_their_symbols_do_are_less_sure() -> None:
    """Whole sectors move alike: a model that bets on them is right or wrong as a whole."""
    signs = np.random.default_rng(1).choice([-3.0, 3.0], size=(200, 40))
    judged = [
        live_skill(**outcomes(*row, symbols=60, seed=seed), base_rate=0.5, newest=10)
        for seed, row in enumerate(signs)
    ]
    assert sum(one is not None and one.knowledge_p < 0.05 for one in judged) <= 20


def test_a_record_is_judged_against_the_base_rate_of_its_own_models() -> None:
    """Each block of a walk-forward has a model of its own."""
    lives = outcomes(*[1.0] * 40, symbols=500, seed=3)
    rows = pl.DataFrame(lives).with_columns(
        symbol=pl.int_range(pl.len()).over("session"),
        probability=1 / (1 + (-pl.col("log_odds")).exp()),
        base_rate=pl.when(pl.col("session") < 20).then(0.5).otherwise(0.52),
    )
    found, silent = judge_record(rows), judge_record(rows.with_columns(probability="base_rate"))
    assert found is not None
    assert found.confirms(alpha=0.002)
    assert silent is None


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
