"""Who scores in each week of ten years: never retrained, always the newest, or the desk's rules."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from benchmarks.lifecycle_fits import WeeklyFits, night_of
from benchmarks.lifecycle_market import WEEK, FadingMarket
from pipelines.lifecycle.comparison import compare
from pipelines.lifecycle.live_skill import LiveSkill, judge, sessions_to_judge
from pipelines.lifecycle.promotion import (
    SILENCE_ALPHA,
    Incumbent,
    alpha_to_spend,
    decide,
    sessions_to_hold_back,
)
from pipelines.signals.model import TrainedSignal

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
        forgets: whether the recipe of the newest sessions challenges too.
    """
    desk = Desk(fits, market, recipes=1 + forgets)
    for week in range(1, len(fits.all_history)):
        desk.withdraw(week)
        desk.bring_back(week)
        if forgets:
            desk.challenge(week, desk.recent_challenger(week))
        desk.challenge(week, desk.long_challenger(week))
    return desk.reigns


@dataclass
class Desk:
    """The desk through the weeks: its champion, those it withdrew, and what it did."""

    fits: WeeklyFits
    market: FadingMarket
    reigns: list[Reign] = field(init=False)
    withdrawn: list[TrainedSignal] = field(default_factory=list)
    last_challenge: int = 0
    recipes: int = 1

    def __post_init__(self) -> None:
        """Begin with the first model."""
        self.reigns = never(self.fits)

    @property
    def champion(self) -> TrainedSignal | None:
        """The model that scores now."""
        return self.reigns[-1].model

    @property
    def silence_alpha(self) -> float:
        """Level of each candidate's test while nothing scores: withdrawn ones and recipes."""
        return SILENCE_ALPHA / (len(self.withdrawn) + self.recipes)

    def withdraw(self, week: int) -> None:
        """Withdraw the champion where its newest sessions refute it."""
        if self.champion is None:
            return
        skill = self._judged(self.champion, week)
        if skill and skill.refutes(alpha=WEEKLY_ALPHA):
            self.withdrawn = [*self.withdrawn, self.champion][-WITHDRAWN_KEPT:]
            self._enthrone(week, "rollback", None)

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

    def recent_challenger(self, week: int) -> tuple[TrainedSignal, TrainedSignal, int] | None:
        """Return the recent recipe of two weeks ago, today's, and the sessions between."""
        weeks = sessions_to_judge(self.market.symbols) // WEEK
        if week < weeks:
            return None
        return self.fits.recent[week - weeks], self.fits.recent[week], WEEK * weeks

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
        rows = self._known(week, sessions)
        first = rows["session"].to_list()[0]
        if self.champion.trained_through >= first or held_back.trained_through >= first:
            return
        found = compare(self.champion, held_back, rows)
        age = self._age(week)
        incumbent = Incumbent(1, age, alpha_to_spend(WEEK * (week - self.last_challenge)))
        self.last_challenge = week
        verdict = decide((), found, incumbent=incumbent, session=date(2026, 1, 2)).verdict
        if verdict.promotes:
            self._enthrone(week, verdict.value, refitted)

    def _enthrone(self, week: int, event: str, model: TrainedSignal | None) -> None:
        self.reigns.append(Reign(week, event, model))

    def _age(self, week: int) -> int:
        """Return how many labelled sessions the champion has not seen."""
        newest = self.market.between(night_of(week) - 1, night_of(week))["session"].item(0)
        return (newest - self.champion.trained_through).days + 1 if self.champion else 0

    def _known(self, week: int, sessions: int) -> pl.DataFrame:
        """Return the newest labelled sessions that a night knows."""
        night = night_of(week)
        return self.market.between(night - sessions, night)

    def _judged(self, model: TrainedSignal, week: int) -> LiveSkill | None:
        rows = self._known(week, sessions_to_judge(self.market.symbols))
        unseen = rows.filter(pl.col("session") > model.trained_through)
        return judge(model, unseen)
