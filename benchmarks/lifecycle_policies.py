"""Who scores in each week of ten years: never retrained, always the newest, or the desk's rules."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import polars as pl

from benchmarks.lifecycle_fits import WeeklyFits, night_of
from benchmarks.lifecycle_market import WEEK, FadingMarket
from pipelines.lifecycle.comparison import compare
from pipelines.lifecycle.live_skill import MOST_JUDGED, LiveSkill, live_skill, sessions_to_judge
from pipelines.lifecycle.promotion import (
    Incumbent,
    alpha_to_spend,
    decide,
    sessions_to_hold_back,
    silence_alpha,
    window_alpha,
)
from pipelines.signals.model import TrainedSignal
from pipelines.validation.logistic import FloatArray

WEEKLY_ALPHA = alpha_to_spend(WEEK)
WITHDRAWN_KEPT = 4
"""Versions that may come back: the ones that scored last."""


@dataclass(frozen=True)
class Reign:
    """Who scores from a week's night on, and why; no model is saying nothing."""

    week: int
    event: str
    model: TrainedSignal | None


def never(fits: WeeklyFits) -> list[Reign]:
    """Return the first model for ever."""
    return [Reign(0, "first", fits.all_history[0])]


def always(models: Sequence[TrainedSignal]) -> list[Reign]:
    """Return the newest model of each week."""
    return [Reign(week, "newest", model) for week, model in enumerate(models)]


def promotion_alone(fits: WeeklyFits, market: FadingMarket) -> list[Reign]:
    """Return what challenges make of it where live results move nothing."""
    desk = Desk(fits, market)
    for week in range(1, len(fits.all_history)):
        desk.challenge(week, desk.long_challenger(week))
    return desk.reigns


def by_the_rules(fits: WeeklyFits, market: FadingMarket, *, forgets: bool) -> list[Reign]:
    """Return what the night's rules make of it: live results, then a challenge.

    Args:
        fits: The models of each week.
        market: What they are held against.
        forgets: whether the window that forgets may end a silence, as in a night.
    """
    desk = Desk(fits, market, forgets=forgets)
    for week in range(1, len(fits.all_history)):
        desk.withdraw(week)
        desk.bring_back(week)
        desk.end_silence_by_window(week)
        desk.challenge(week, desk.long_challenger(week))
    return desk.reigns


@dataclass
class Told:
    """What a model said of each session from `first` on, as far as it was asked."""

    model: TrainedSignal
    market: FadingMarket
    first: int
    odds: FloatArray = field(default_factory=lambda: np.empty(0))

    def through(self, night: int) -> FloatArray:
        """Return its log-odds up to the newest label of a night."""
        done = self.first + len(self.odds) // self.market.symbols
        rows = self.market.between(done, max(night, done))
        if rows.height:
            more = self.model.calibration.log_odds(self.model.margins(rows))
            self.odds = np.concatenate([self.odds, more])
        return self.odds


@dataclass
class Desk:
    """The desk through the weeks: its champion, those it withdrew, and what it did."""

    fits: WeeklyFits
    market: FadingMarket
    reigns: list[Reign] = field(init=False)
    standing: list[TrainedSignal] = field(init=False)
    withdrawn: list[TrainedSignal] = field(default_factory=list)
    told: dict[int, "Told"] = field(default_factory=dict)
    last_challenge: int = 0
    forgets: bool = False

    def __post_init__(self) -> None:
        """Begin with the first model."""
        self.reigns = never(self.fits)
        self.standing = [self.fits.all_history[0]]

    @property
    def champion(self) -> TrainedSignal | None:
        """The model that scores now: of those promoted and not withdrawn the newest."""
        return max(self.standing, key=lambda one: one.trained_through, default=None)

    @property
    def silence_alpha(self) -> float:
        """Level of the test of each but the window while nothing scores."""
        return silence_alpha(withdrawn=len(self.withdrawn), has_window=self.forgets)

    def withdraw(self, week: int) -> None:
        """Withdraw the champion that its newest sessions refute, and those behind it likewise."""
        while champion := self.champion:
            skill = self._judged(champion, week)
            if not (skill and skill.refutes(alpha=WEEKLY_ALPHA)):
                return
            self.standing.remove(champion)
            self.withdrawn = [*self.withdrawn, champion][-WITHDRAWN_KEPT:]
            self._note(week, "rollback")

    def bring_back(self, week: int) -> None:
        """Let the withdrawn version score again that its newest sessions confirm most."""
        if self.champion is not None:
            return
        judged = [(one, self._judged(one, week)) for one in self.withdrawn]
        able = [
            (skill.gain, n)
            for n, (_, skill) in enumerate(judged)
            if skill and skill.confirms(alpha=self.silence_alpha)
        ]
        if able:
            self._enthrone(week, "restored", self.withdrawn.pop(max(able)[1]))

    def end_silence_by_window(self, week: int) -> None:
        """Let the window's model of today score if its recipe's record is confirmed."""
        if self.champion is not None or not self.forgets:
            return
        night = night_of(week)
        skill = self.fits.window.record(night)
        if skill and skill.confirms(alpha=window_alpha()):
            self._enthrone(week, "window", self.fits.window.model(night))

    def long_challenger(self, week: int) -> tuple[TrainedSignal, TrainedSignal, int] | None:
        """Return the long recipe held back, today's, and for how many sessions it was."""
        age = self._age(week) if self.champion else 2 * sessions_to_judge(self.market.symbols)
        weeks = sessions_to_hold_back(age) // WEEK
        if not weeks or week < weeks:
            return None
        return self.fits.all_history[week - weeks], self.fits.all_history[week], WEEK * weeks

    def challenge(
        self, week: int, challenger: tuple[TrainedSignal, TrainedSignal, int] | None
    ) -> None:
        """Hold a challenger against the champion, or against saying nothing, and promote it."""
        if challenger is None:
            return
        held_back, refitted, sessions = challenger
        if self.champion is None:
            skill = self._judged(held_back, week)
            if skill and skill.confirms(alpha=self.silence_alpha):
                self._enthrone(week, "promoted", refitted)
            return
        # The label of the session before ends in the first: the night's own challenger is purged.
        rows = self._known(week, sessions).slice(self.market.symbols)
        found = compare(self.champion, held_back, rows)
        age = self._age(week)
        incumbent = Incumbent(1, age, alpha_to_spend(WEEK * (week - self.last_challenge)))
        self.last_challenge = week
        verdict = decide((), found, incumbent=incumbent, session=date(2026, 1, 2)).verdict
        if verdict.promotes:
            self._enthrone(week, verdict.value, refitted)

    def _enthrone(self, week: int, event: str, model: TrainedSignal) -> None:
        self.standing.append(model)
        self._note(week, event)

    def _note(self, week: int, event: str) -> None:
        self.reigns.append(Reign(week, event, self.champion))

    def _age(self, week: int) -> int:
        """Return how many labelled sessions the champion has not seen."""
        newest = self.market.between(night_of(week) - 1, night_of(week))["session"].item(0)
        return (newest - self.champion.trained_through).days + 1 if self.champion else 0

    def _known(self, week: int, sessions: int) -> pl.DataFrame:
        """Return the newest labelled sessions that a night knows."""
        night = night_of(week)
        return self.market.between(night - sessions, night)

    def _judged(self, model: TrainedSignal, week: int) -> LiveSkill | None:
        """Return what `judge` says of the newest sessions; each is scored by a model once."""
        night = night_of(week)
        if self._unseen(model) >= night:
            return None
        told = self.told.setdefault(id(model), Told(model, self.market, self._unseen(model)))
        odds, first = told.through(night), max(told.first, night - MOST_JUDGED)
        rows = self.market.between(first, night)
        return live_skill(
            odds[-rows.height :],
            rows["is_up"].to_numpy(),
            rows["session"].to_numpy(),
            base_rate=model.base_rate,
            newest=sessions_to_judge(self.market.symbols),
        )

    def _unseen(self, model: TrainedSignal) -> int:
        """Return the ordinal of the first session after a model's last label."""
        return (model.trained_through - self.market.panel["session"].item(0)).days + 1
