"""The trainings of ten years, a week after the other: every policy chooses among the same models.

`all_history` is the desk's recipe: fit on all that was, stopped and calibrated on half a year each.
`window` is the recipe of a night that forgets (`pipelines.signals.recent`), fitted when it is asked
for. Sessions of long slices are thinned to what a fit of a tenth of a second can take.
"""

import pickle
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.lifecycle_market import FEATURES, HISTORY, WEEK, FadingMarket, fading_market
from pipelines.lifecycle.live_skill import LiveSkill, live_skill, sessions_to_judge
from pipelines.signals.model import TrainedSignal
from pipelines.signals.recent import RECORD, sessions_of_window, splits_of_window
from pipelines.signals.settings import Family, SignalSettings
from pipelines.signals.training import train_once
from pipelines.validation.logistic import FloatArray
from pipelines.validation.splits import SplitSettings

FIT, HELD_OUT = 20, 10
"""Sessions of the fit slice of the long recipe, and of its stop and calibrate slices each."""
HALF_YEAR = 126


@dataclass(frozen=True)
class Study:
    """What one seed's ten years are: sizes, strength in log-odds and seed."""

    symbols: int
    weeks: int
    strength: float
    seed: int

    def market(self) -> FadingMarket:
        """Draw the market."""
        return fading_market(
            symbols=self.symbols, weeks=self.weeks, strength=self.strength, seed=self.seed
        )

    def file(self, folder: Path, recipe: str) -> Path:
        """Return the file with the models of a recipe."""
        name = f"{self.symbols}_{self.weeks}_{self.strength}_{self.seed}_{recipe}.pickle"
        return folder / name


@dataclass(frozen=True, eq=False)
class WindowFits:
    """Models of the window by the night that trained them, and what they said of their block."""

    market: FadingMarket
    models: dict[int, TrainedSignal] = field(default_factory=dict)
    said: dict[tuple[int, int], FloatArray] = field(default_factory=dict)

    @property
    def window(self) -> int:
        """Sessions of the window; a market that is too small for one counts as if it had one."""
        return sessions_of_window(self.market.symbols) or RECORD

    def model(self, night: int) -> TrainedSignal:
        """Return the model of a night whose newest label is that of the session before."""
        if night not in self.models:
            self.models[night] = of_window(self.market, night, self.window)
        return self.models[night]

    def record(self, night: int) -> LiveSkill | None:
        """Return what a night knows of the recipe, walked forward as the desk's training does."""
        block = splits_of_window(self.window).test
        first = -(-(night - RECORD) // block) * block
        starts = range(first, night, block)
        rows = self.market.between(first, night)
        odds = [self._said(start, min(start + block, night)) for start in starts]
        base_rates = [
            np.full(len(o), self.model(s).base_rate) for s, o in zip(starts, odds, strict=True)
        ]
        return live_skill(
            np.concatenate(odds),
            rows["is_up"].to_numpy(),
            rows["session"].to_numpy(),
            base_rate=np.concatenate(base_rates),
            newest=sessions_to_judge(self.market.symbols),
        )

    def _said(self, start: int, end: int) -> FloatArray:
        if (start, end) not in self.said:
            model = self.model(start)
            margins = model.margins(self.market.between(start, end))
            self.said[start, end] = model.calibration.log_odds(margins)
        return self.said[start, end]


@dataclass(frozen=True, eq=False)
class WeeklyFits:
    """A model of all history for each week, trained on labels that its night knew; the window."""

    all_history: tuple[TrainedSignal, ...]
    window: WindowFits

    def always_recent(self) -> tuple[TrainedSignal, ...]:
        """Return the window's model of each week."""
        return tuple(self.window.model(night_of(week)) for week in range(len(self.all_history)))


def night_of(week: int) -> int:
    """Return the ordinal of the session whose night trains in a week."""
    return WEEK * (HISTORY + week) - 1


def weekly_fits(study: Study, market: FadingMarket, *, folder: Path) -> WeeklyFits:
    """Return the models of a study, from its files where an earlier run has made them."""
    kept, recent = study.file(folder, "all_history"), study.file(folder, "window")
    if not kept.exists():
        nights = [night_of(week) for week in range(study.weeks)]
        keep(kept, tuple(of_all_history(market, night) for night in nights))
    models: dict[int, TrainedSignal] = _held(recent) if recent.exists() else {}
    return WeeklyFits(_held(kept), WindowFits(market, models))


def keep(path: Path, fits: object) -> None:
    """Write a file as a whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_bytes(pickle.dumps(fits))
    partial.replace(path)


def _held(path: Path) -> Any:
    return pickle.loads(path.read_bytes())  # noqa: S301 - a file of our own


def of_all_history(market: FadingMarket, night: int) -> TrainedSignal:
    """Return the model of a night whose newest label is that of the session before."""
    slices = (
        _thinned(0, night - 2 * HALF_YEAR, FIT),
        _thinned(night - 2 * HALF_YEAR, night - HALF_YEAR, HELD_OUT),
        _thinned(night - HALF_YEAR, night, HELD_OUT),
    )
    # Thinned sessions lie far apart, so nothing that neighbours share needs an embargo.
    splits = SplitSettings(FIT + 2 * HELD_OUT + 1, 1, HELD_OUT, HELD_OUT, embargo=0)
    rows = pl.concat([market.between(one, one + 1) for part in slices for one in part])
    return train_once(rows, features=FEATURES, settings=_settings(splits))


def of_window(market: FadingMarket, night: int, window: int) -> TrainedSignal:
    """Return the model of the newest sessions alone."""
    rows = market.between(night - window, night)
    return train_once(rows, features=FEATURES, settings=_settings(splits_of_window(window)))


def _thinned(first: int, last: int, number: int) -> list[int]:
    """Return so many sessions of a range at even distances, the newest among them."""
    return sorted({int(one) for one in np.linspace(first, last - 1, number).round()})


def _settings(splits: SplitSettings) -> SignalSettings:
    """Return the desk's settings for one family, few seeds and few trees."""
    return SignalSettings(
        splits=splits, family=Family.LIGHTGBM, seeds=2, rounds=60, resamples=100, threads=1
    )
