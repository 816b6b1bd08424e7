"""A challenger wins by evidence on sessions that neither model has seen, or it does not win."""

import json
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from pipelines.forecasts.scores import diebold_mariano
from pipelines.lifecycle.comparison import compare
from pipelines.lifecycle.evidence import Canary, CanaryName, PairedComparison
from pipelines.lifecycle.promotion import (
    SILENCE_ALPHA,
    YEARLY_ALPHA,
    Decision,
    Incumbent,
    Verdict,
    alpha_to_spend,
    decide,
    failed_canaries,
    sessions_to_hold_back,
    silence_alpha,
    window_alpha,
)
from pipelines.signals.calibration import Calibration
from pipelines.signals.model import TrainedSignal
from pipelines.signals.scoring import LookAheadError
from pipelines.validation.logistic import FloatArray
from pipelines.validation.session_bootstrap import Estimate
from tests.support.panels import panel
from tests.support.trained_signals import small_training

STRENGTH = 0.5
SESSION = date(2013, 3, 1)
GOOD = tuple(Canary(name, True, "well") for name in CanaryName)


class KnowingSignal(TrainedSignal):
    """A model that knows what is planted in the panel, but for a little noise."""

    def member_margins(self, rows: pl.DataFrame) -> FloatArray:
        """Return the planted log-odds, with noise that no seed shares."""
        trend, reversal, surprise = (
            rows[name].fill_null(0).to_numpy() for name in ("trend", "reversal", "surprise")
        )
        truth = STRENGTH * (0.8 * trend + 0.6 * np.sign(reversal * surprise))
        noise = np.random.default_rng(rows.height).standard_normal((len(self.members), len(truth)))
        return np.asarray(truth + 0.02 * noise)


def blind_signal() -> TrainedSignal:
    """Return a model that says the base rate of every row."""
    return replace(small_training().final, calibration=Calibration.flat(0.52))


def knowing_signal() -> TrainedSignal:
    """Return a calibrated model that knows the truth."""
    final = small_training().final
    values = {name: getattr(final, name) for name in final.__dataclass_fields__}
    line = Calibration(0.08, 1.0, ((0.0, 0.0), (0.0, 0.0)))
    return KnowingSignal(**{**values, "calibration": line})


def later_panel() -> pl.DataFrame:
    """Return forty sessions after all that the models have seen, and before them rows with gaps."""
    rows = panel(strength=STRENGTH, seed=4, symbols=40, sessions=60)
    ahead = timedelta(days=3650)
    return rows.with_columns(pl.col("session", "label_end", "exit_session") + ahead)


def test_a_challenger_that_knows_more_wins_and_one_that_knows_less_does_not() -> None:
    """The test must see a real gain in forty sessions, and its opposite."""
    knowing, blind = knowing_signal(), blind_signal()
    won = compare(blind, knowing, later_panel())
    lost = compare(knowing, blind, later_panel())
    assert won is not None
    assert lost is not None
    assert (won.sessions, won.gain, lost.gain) == (40, pytest.approx(-lost.gain), lost.gain)
    assert won.p_value < 0.01 < 0.99 < lost.p_value
    assert won.gain > 5 * won.seed_error > 0
    assert won.calibration_slope is not None
    assert won.calibration_slope.lower < 1 < won.calibration_slope.upper
    assert lost.calibration_slope is None


def test_nothing_is_compared_that_a_model_has_seen() -> None:
    """A champion compared on its own training would never lose."""
    seen = later_panel().with_columns(session=pl.lit(date(2015, 1, 2)))
    with pytest.raises(LookAheadError, match="take sessions after it"):
        compare(blind_signal(), knowing_signal(), seen)


def test_two_models_of_equal_merit_win_no_more_often_than_alpha_says() -> None:
    """A test that is too eager would promote the luck of one week after another."""
    rng = np.random.default_rng(7)
    wins = 0
    for _ in range(400):
        volatility = np.exp(0.3 * rng.standard_normal(20))
        test = diebold_mariano(volatility * rng.standard_normal(20), np.zeros(20), horizon=5)
        wins += test is not None and test.statistic > 0 and test.p_value / 2 < 0.05
    assert wins <= 48, "of 400 at 5 %, more than 48 come with a chance below 1 in 1,000"


def comparison(**changes: object) -> PairedComparison:
    """Return a challenge that is won."""
    won = PairedComparison(40, 1600, 2e-3, 0.001, 1e-5, Estimate(1.1, 0.8, 1.4))
    return replace(won, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "alpha", "verdict"),
    [
        (comparison(calibration_slope=None, seed_error=0.0), 0.02, Verdict.PROMOTED),
        (comparison(p_value=0.015), 0.02, Verdict.PROMOTED),
        (comparison(p_value=0.015), 0.01, Verdict.KEPT),
        (None, 0.02, Verdict.KEPT),
    ],
)
def test_after_a_withdrawal_a_training_must_beat_saying_nothing(
    found: PairedComparison | None, alpha: float, verdict: Verdict
) -> None:
    """To take it as the first of all would bring back at once what was just withdrawn."""
    silence = Incumbent.silence(alpha=alpha)
    made = decide(GOOD, found, incumbent=silence, session=SESSION)
    assert made.verdict is verdict
    assert made.champion is None
    assert ("saying nothing" in made.reason) is (verdict is Verdict.PROMOTED)
    assert Decision.from_document(json.loads(json.dumps(made.to_document()))) == made


@pytest.mark.parametrize("has_window", [True, False])
@pytest.mark.parametrize("withdrawn", [1, 4])
def test_all_that_may_end_a_silence_share_one_chance(*, withdrawn: int, has_window: bool) -> None:
    """However many models try in a week, luck may end it no more often than once in fifty."""
    each = silence_alpha(withdrawn=withdrawn, has_window=has_window)
    spent = (withdrawn + 1) * each + has_window * window_alpha()
    assert spent == pytest.approx(SILENCE_ALPHA)


def decided(
    found: PairedComparison | None,
    *,
    age: int = 40,
    canaries: tuple[Canary, ...] = GOOD,
    alpha: float = 0.01,
) -> Decision:
    """Return a decision about a champion of an age."""
    incumbent = Incumbent(3, age, alpha)
    return decide(canaries, found, incumbent=incumbent, session=SESSION)


@pytest.mark.parametrize(
    ("found", "age", "verdict", "words"),
    [
        (comparison(), 40, Verdict.PROMOTED, "less than version 3 on 40 sessions"),
        (comparison(p_value=0.02), 40, Verdict.KEPT, "not met: beats_the_champion"),
        (comparison(seed_error=2e-3), 40, Verdict.KEPT, "not met: beyond_the_luck_of_seeds"),
        (
            comparison(calibration_slope=Estimate(0.4, 0.2, 0.6)),
            40,
            Verdict.KEPT,
            "not met: is_calibrated",
        ),
        (None, 12, Verdict.KEPT, "has not seen 12 sessions: a challenge needs 20"),
        (
            comparison(p_value=0.6, gain=-1e-5, knowledge_p=0.01),
            126,
            Verdict.REFRESHED,
            "126 sessions old",
        ),
        (
            comparison(p_value=0.6, gain=-1e-5, knowledge_p=0.01),
            125,
            Verdict.KEPT,
            "not met: beats_the_champion",
        ),
        (
            comparison(p_value=0.6, gain=-1e-5, knowledge_p=0.06),
            126,
            Verdict.KEPT,
            "not met: beats_the_champion",
        ),
        (comparison(p_value=0.6, gain=-1e-5), 126, Verdict.KEPT, "not met: beats_the_champion"),
        (
            comparison(p_value=0.97, gain=-1e-3, knowledge_p=0.01),
            200,
            Verdict.KEPT,
            "not met: beats_the_champion",
        ),
    ],
)
def test_a_decision_follows_from_its_evidence(
    found: PairedComparison | None, age: int, verdict: Verdict, words: str
) -> None:
    """Each condition alone must be able to keep the champion, and the reason must name it."""
    decision = decided(found, age=age)
    assert decision.verdict is verdict
    assert words in decision.reason
    assert decision.alpha == (0.01 if found else 0.0)


def test_a_failing_canary_blocks_whatever_the_figures() -> None:
    """A leak wins every comparison."""
    canaries = (*GOOD[1:], Canary(CanaryName.SHUFFLED, False, "AUC 0.8"))
    decision = decided(comparison(), canaries=canaries)
    assert decision.verdict is Verdict.BLOCKED
    assert not decision.verdict.promotes
    assert "shuffled_labels_score_like_chance" in decision.reason
    assert failed_canaries(decision) == {"shuffled_labels_score_like_chance": "AUC 0.8"}
    assert failed_canaries(decided(comparison(p_value=0.9))) == {}
    first = decide(canaries, None, incumbent=None, session=SESSION)
    assert first.verdict is Verdict.BLOCKED, "a first model needs its canaries too"
    assert decide(GOOD, None, incumbent=None, session=SESSION).verdict is Verdict.FIRST


def test_challenges_of_a_year_share_one_budget() -> None:
    """Fifty challenges at 5 % each would promote luck more than twice a year."""
    assert sum(alpha_to_spend(5) for _ in range(50)) <= YEARLY_ALPHA
    assert alpha_to_spend(5000) == 0.05
    assert [sessions_to_hold_back(age) for age in (0, 19, 20, 50, 500)] == [0, 0, 10, 25, 63]


def test_a_decision_is_read_back_as_it_was() -> None:
    """It is kept as a tag of its version."""
    for decision in (
        decided(comparison()),
        decided(comparison(calibration_slope=None)),
        decided(None),
    ):
        text = json.dumps(decision.to_document())
        assert Decision.from_document(json.loads(text)) == decision
        assert len(text) < 5000, "MLflow keeps no longer tag"
