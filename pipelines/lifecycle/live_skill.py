"""What a model's newest sessions say of it: whether they refute its claims, or confirm knowledge.

Rows are predictions of sessions that the model had not seen when it was trained, with what came of
them. Saying nothing, the base rate of every row, is what a model is held against. Two questions are
asked of the same sessions, each by a score test clustered by session: whether the probabilities can
be true as stated (a calibration slope of 1), and whether they know anything (a slope of 0). Log
loss itself stands half way between: the gain of a true model is half as many standard errors from
zero as its slope, so a test of the gain would take four times the sessions.

A session's score has a known variance where its symbols have but the common move in common. How
much more it varies than that is measured on up to a quarter of sessions, by what neighbours differ
by (von Neumann, 1941), which a signal that fades or returns leaves as it is; on the judged
sessions alone, ten would need half as much again.
"""

from dataclasses import dataclass
from math import ceil

import numpy as np
import polars as pl

from pipelines.lifecycle.evidence import PairedComparison
from pipelines.signals.model import TrainedSignal
from pipelines.signals.scoring import LookAheadError
from pipelines.signals.usable_rows import usable_rows
from pipelines.validation.logistic import FloatArray, expit, logit
from pipelines.validation.metrics import SMALLEST_PROBABILITY, BoolArray
from pipelines.validation.session_correlation import SessionCorrelation

ROWS_TO_JUDGE = 5_000
FEWEST_JUDGED, MOST_JUDGED = 10, 63
"""Sessions that a judgement looks at: as few as hold ROWS_TO_JUDGE, since older ones know less of
today; two weeks at least, a quarter at most."""
FEWEST_SEEN = 8
"""Sessions without which there is no judgement: two weeks less what may be missing of them."""


@dataclass(frozen=True)
class LiveSkill:
    """What a model's newest sessions say of it.

    Attributes:
        sessions: Sessions judged, none of which the model had seen.
        rows: Predictions in them.
        gain: Mean over sessions of the base rate's log loss less the model's, in nats.
        claim_p: Chance of outcomes that speak so much against the model if its probabilities hold.
        knowledge_p: Chance of outcomes that speak so much for it if it knows nothing.
    """

    sessions: int
    rows: int
    gain: float
    claim_p: float
    knowledge_p: float

    def refutes(self, *, alpha: float) -> bool:
        """Return whether the model is worse than saying nothing, and surely not what it claims."""
        return self.gain < 0 and self.claim_p < alpha

    def __str__(self) -> str:
        """Return the figures as a person reads them."""
        return (
            f"gain over saying nothing {self.gain:.2e} nats on {self.sessions} sessions, p of its "
            f"claim {self.claim_p:.4f}, of knowing nothing {self.knowledge_p:.4f}"
        )

    @property
    def against_silence(self) -> PairedComparison:
        """The same as a challenge to saying nothing."""
        return PairedComparison(
            sessions=self.sessions,
            rows=self.rows,
            gain=self.gain,
            p_value=self.knowledge_p,
            seed_error=0.0,
            calibration_slope=None,
        )

    def confirms(self, *, alpha: float) -> bool:
        """Return whether the model is better than saying nothing, and surely knows something."""
        return self.gain > 0 and self.knowledge_p < alpha


def sessions_to_judge(rows_per_session: float) -> int:
    """Return how many of the newest sessions a model is judged by."""
    return min(max(ceil(ROWS_TO_JUDGE / rows_per_session), FEWEST_JUDGED), MOST_JUDGED)


def judge(model: TrainedSignal, panel: pl.DataFrame) -> LiveSkill | None:
    """Return what the newest sessions of `panel` say of a model; None where they are too few.

    Args:
        model: A model that has seen none of them.
        panel: Labelled rows, as trainings take them, of sessions after its `trained_through`.

    Raises:
        LookAheadError: the model may have been trained on one of these sessions.
    """
    rows = usable_rows(panel, model.features, dispensable=model.may_lack)
    if rows.is_empty():
        return None
    first = rows["session"].to_list()[0]
    if model.trained_through >= first:
        message = f"a model trained through {model.trained_through} can't be judged by {first}"
        raise LookAheadError(message)
    wanted = sessions_to_judge(rows.height / rows["session"].n_unique())
    newest = rows["session"].unique().sort().tail(MOST_JUDGED)
    rows = rows.filter(pl.col("session") >= newest[0])
    log_odds = model.calibration.log_odds(model.margins(rows))
    return live_skill(
        log_odds,
        rows["is_up"].to_numpy(),
        rows["session"].to_numpy(),
        base_rate=model.base_rate,
        newest=wanted,
    )


def judge_record(predictions: pl.DataFrame) -> LiveSkill | None:
    """Return what the newest sessions of a walk-forward record say of its recipe.

    Args:
        predictions: Out-of-sample rows, as `Trial` has them: each model had seen no label that
            ended in or after the session.
    """
    if predictions.is_empty():
        return None
    rows = predictions.sort("session", "symbol")
    probability = np.clip(
        rows["probability"].to_numpy(), SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY
    )
    return live_skill(
        logit(probability),
        rows["is_up"].to_numpy(),
        rows["session"].to_numpy(),
        base_rate=rows["base_rate"].to_numpy(),
        newest=sessions_to_judge(rows.height / rows["session"].n_unique()),
    )


def live_skill(
    log_odds: FloatArray,
    is_up: BoolArray,
    session: np.ndarray,
    *,
    base_rate: float | FloatArray,
    newest: int = MOST_JUDGED,
) -> LiveSkill | None:
    """Return what outcomes say of stated log-odds; None where they are too few or all the same.

    Args:
        log_odds: Stated log-odds of each row.
        is_up: Its outcome.
        session: Its session.
        base_rate: What saying nothing says of all rows, or of each.
        newest: How many sessions are judged; older ones only say how much scores vary.
    """
    from scipy.special import stdtr

    sessions = SessionCorrelation.of(session)
    judged = np.arange(len(sessions.rows)) >= len(sessions.rows) - newest
    ignorant = np.broadcast_to(logit(np.asarray(base_rate)), log_odds.shape)
    opinion = log_odds - ignorant
    is_judged = judged[sessions.session]
    if judged.sum() < FEWEST_SEEN or np.ptp(log_odds[is_judged]) == 0:
        return None
    gain = _loss(ignorant, is_up) - _loss(log_odds, is_up)
    by_session = np.bincount(sessions.session, weights=gain) / sessions.rows
    claim, knowledge = (
        _statistic(opinion, np.asarray(is_up - stated), sessions, judged=judged)
        for stated in (expit(log_odds), expit(ignorant))
    )
    freedom = len(sessions.rows) - 1
    return LiveSkill(
        sessions=int(judged.sum()),
        rows=int(is_judged.sum()),
        gain=float(by_session[judged].mean()),
        claim_p=float(stdtr(freedom, claim)),
        knowledge_p=float(stdtr(freedom, -knowledge)),
    )


def _statistic(
    opinion: FloatArray,
    surprise: FloatArray,
    sessions: SessionCorrelation,
    *,
    judged: BoolArray,
) -> float:
    """Return the score of the judged sessions over its standard error.

    Outcomes count without what those of a session have in common. Scores that vary less than
    symbols of such a session would by themselves do so by chance.
    """
    alike = sessions.measured(surprise)
    score = np.bincount(alike.session, weights=opinion * alike.own_part(surprise))
    weights = opinion * alike.own_part(opinion)
    variance = np.bincount(alike.session, weights=weights) * float((surprise**2).mean())
    speaks = variance > 0
    if not (speaks & judged).any():
        return 0.0
    standard = score[speaks] / variance[speaks] ** 0.5
    error = (variance[judged].sum() * _excess(standard, standard[judged[speaks]])) ** 0.5
    return float(score[judged].sum() / error)


def _excess(standard: FloatArray, judged: FloatArray) -> float:
    """Return by how much standardised scores vary more than 1: all of them, or the judged alone."""
    neighbours = float((np.diff(standard) ** 2).mean()) / 2 if len(standard) > 1 else 1.0
    return max(1.0, neighbours, float(judged.var(ddof=1)) if len(judged) > 1 else 1.0)


def _loss(log_odds: FloatArray, is_up: BoolArray) -> FloatArray:
    """Return the log loss of each row."""
    return np.asarray(np.logaddexp(0.0, np.where(is_up, -log_odds, log_odds)))
