"""What a policy earned in ten years, and how soon it answered each change of the market."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl

from benchmarks.lifecycle_fits import night_of
from benchmarks.lifecycle_market import WEEK, FadingMarket
from benchmarks.lifecycle_policies import Reign
from pipelines.signals.model import TrainedSignal
from pipelines.validation.logistic import expit, logit
from pipelines.validation.long_short import (
    COST_BASIS_POINTS,
    SESSIONS_PER_YEAR,
    long_short_returns,
)

KNOWS = 0.5
"""Correlation of log-odds and planted feature from which a model is said to know its sign."""
PROBE = 2_000


@dataclass(frozen=True)
class Answer:
    """How many weeks after a change a policy was no longer wrong, and when it was right.

    None where neither came before the next change. A change leaves a policy wrong that held the old
    sign; after a return it holds none, and is not wrong.
    """

    kind: str
    weeks_to_stop: int | None
    weeks_to_know: int | None


@dataclass(frozen=True)
class PolicyScore:
    """What a policy did on one market: returns a year, gain in nats a row, its answers."""

    net_return: float
    gross_return: float
    gain: float
    answers: tuple[Answer, ...]
    events: tuple[tuple[int, str], ...]


def score(reigns: Sequence[Reign], market: FadingMarket, *, weeks: int) -> PolicyScore:
    """Measure a policy through the last week."""
    said = pl.concat(
        [
            _said(one.model, market.between(night_of(one.week) + 1, night_of(after) + 1))
            for one, after in zip(reigns, [*(r.week for r in reigns[1:]), weeks], strict=True)
            if after > one.week
        ]
    )
    book = long_short_returns(said, cost_basis_points=COST_BASIS_POINTS)
    return PolicyScore(
        net_return=float(book["net_return"].to_numpy().mean()) * SESSIONS_PER_YEAR,
        gross_return=float(book["gross_return"].to_numpy().mean()) * SESSIONS_PER_YEAR,
        gain=float(said["gain"].to_numpy().mean()),
        answers=_answers(reigns, market, weeks=weeks),
        events=tuple((one.week, one.event) for one in reigns if one.event != "newest"),
    )


def sign_of(model: TrainedSignal | None, market: FadingMarket) -> int:
    """Return the sign that a model takes the planted signal for, 0 where it knows none."""
    if model is None or model.calibration.slope == 0:
        return 0
    rows = market.panel.head(PROBE)
    known = np.corrcoef(model.margins(rows), rows["planted"].to_numpy())[0, 1]
    return int(np.sign(known)) if abs(known) > KNOWS else 0


def _said(model: TrainedSignal | None, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the probability of each row, and what its log loss gains over the base rate's."""
    base_rate = 0.5 if model is None else model.base_rate
    silent = np.full(rows.height, float(logit(np.array(base_rate))))
    odds = silent if model is None else model.calibration.log_odds(model.margins(rows))
    outcome = np.where(rows["is_up"].to_numpy(), -1.0, 1.0)
    gain = np.logaddexp(0, outcome * silent) - np.logaddexp(0, outcome * odds)
    return rows.select(
        "symbol",
        "session",
        "next_open_return",
        probability=pl.Series(expit(odds)),
        gain=pl.Series(gain),
    )


def _answers(reigns: Sequence[Reign], market: FadingMarket, *, weeks: int) -> tuple[Answer, ...]:
    """Return what became of each change."""
    first = night_of(0) + 1
    starts = [one.session for one in market.changes] + [first + WEEK * weeks]
    signs = [(night_of(one.week) + 1, sign_of(one.model, market)) for one in reigns]
    before, answers = 1, []
    for change, (start, end) in zip(market.changes, pairwise(starts), strict=True):
        held = [sign for session, sign in signs if session <= start][-1:]
        after = [(start, *held), *((s, sign) for s, sign in signs if start < s < end)]
        stopped = [s for s, sign in after if sign in {0, change.sign}] if before else []
        knew = [s for s, sign in after if sign == change.sign] if change.sign else []
        answers.append(Answer(change.kind, _weeks(stopped, start), _weeks(knew, start)))
        before = change.sign
    return tuple(answers)


def _weeks(sessions: Sequence[int], start: int) -> int | None:
    """Return how many weeks began before the first of some sessions; None without one."""
    return -(-(sessions[0] - start) // WEEK) if sessions else None
