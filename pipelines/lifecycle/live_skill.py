"""What a model's newest sessions say of it: whether they refute its claims, or confirm knowledge.

Rows are predictions of sessions that the model had not seen when it was trained, with what came of
them. Saying nothing, the base rate of every row, is what a model is held against. Two questions are
asked of the same sessions, each by a score test clustered by session: whether the probabilities can
be true as stated (a calibration slope of 1), and whether they know anything (a slope of 0). Log
loss itself stands half way between: the gain of a true model is half as many standard errors from
zero as its slope, so a test of the gain would take four times the sessions.
"""

from dataclasses import dataclass
from math import ceil

import numpy as np
import polars as pl

from pipelines.lifecycle.evidence import PairedComparison
from pipelines.signals.model import TrainedSignal
from pipelines.signals.scoring import LookAheadError
from pipelines.signals.training import usable_rows
from pipelines.validation.logistic import FloatArray, expit, logit
from pipelines.validation.metrics import BoolArray
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
    newest = rows["session"].unique().sort().tail(wanted)
    rows = rows.filter(pl.col("session") >= newest[0])
    log_odds = model.calibration.log_odds(model.margins(rows))
    return live_skill(
        log_odds,
        rows["is_up"].to_numpy(),
        rows["session"].to_numpy(),
        base_rate=model.base_rate,
    )


def live_skill(
    log_odds: FloatArray, is_up: BoolArray, session: np.ndarray, *, base_rate: float
) -> LiveSkill | None:
    """Return what outcomes say of stated log-odds; None where they are too few or all the same.

    Args:
        log_odds: Stated log-odds of each row.
        is_up: Its outcome.
        session: Its session.
        base_rate: What saying nothing says of each row.
    """
    from scipy.special import stdtr

    sessions = SessionCorrelation.of(session)
    number = len(sessions.rows)
    if number < FEWEST_SEEN or np.ptp(log_odds) == 0:
        return None
    ignorant = float(logit(np.array(base_rate)))
    gain = _loss(np.full(len(log_odds), ignorant), is_up) - _loss(log_odds, is_up)
    by_session = np.bincount(sessions.session, weights=gain) / sessions.rows
    opinion = log_odds - ignorant
    claim, knowledge = (
        _statistic(opinion, np.asarray(is_up - stated, dtype=np.float64), sessions)
        for stated in (expit(log_odds), base_rate)
    )
    return LiveSkill(
        sessions=number,
        rows=len(log_odds),
        gain=float(by_session.mean()),
        claim_p=float(stdtr(number - 1, claim)),
        knowledge_p=float(stdtr(number - 1, -knowledge)),
    )


def _statistic(opinion: FloatArray, surprise: FloatArray, sessions: SessionCorrelation) -> float:
    """Return the mean score of a session over its standard error.

    Outcomes count without what those of a session have in common. The error is taken around the
    mean: sessions that all say the same are sure of it.
    """
    own = sessions.measured(surprise).own_part(surprise)
    score = np.bincount(sessions.session, weights=opinion * own)
    error = float(score.std(ddof=1)) / len(score) ** 0.5
    return float(score.mean()) / error if error > 0 else 0.0


def _loss(log_odds: FloatArray, is_up: BoolArray) -> FloatArray:
    """Return the log loss of each row."""
    return np.asarray(np.logaddexp(0.0, np.where(is_up, -log_odds, log_odds)))
