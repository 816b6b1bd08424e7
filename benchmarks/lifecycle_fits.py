"""The trainings of ten years, a week after the other: every policy chooses among the same models.

`all_history` is the desk's recipe: fit on all that was, stopped and calibrated on half a year each.
`recent` is the same recipe on as few of the newest sessions as hold 10,000 rows: a window that
forgets. Sessions of long slices are thinned to what a fit of a fifth of a second can take.
"""

import pickle
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.lifecycle_market import FEATURES, HISTORY, WEEK, FadingMarket, fading_market
from pipelines.signals.model import TrainedSignal
from pipelines.signals.settings import Family, SignalSettings
from pipelines.signals.training import train_once
from pipelines.validation.splits import SplitSettings

FIT, HELD_OUT = 20, 10
"""Sessions of the fit slice of the long recipe, and of its stop and calibrate slices each."""
HALF_YEAR = 126
ROWS_OF_RECENT = 10_000


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

    @property
    def file_name(self) -> str:
        """The name of the file with its models."""
        return f"{self.symbols}_{self.weeks}_{self.strength}_{self.seed}.pickle"


@dataclass(frozen=True)
class WeeklyFits:
    """A model for each week and recipe, trained on labels that its night knew."""

    all_history: tuple[TrainedSignal, ...]
    recent: tuple[TrainedSignal, ...]


def night_of(week: int) -> int:
    """Return the ordinal of the session whose night trains in a week."""
    return WEEK * (HISTORY + week) - 1


def weekly_fits(study: Study, market: FadingMarket, *, folder: Path) -> WeeklyFits:
    """Return the models of a study, from its file where an earlier run has made them."""
    path = folder / study.file_name
    if path.exists():
        held: WeeklyFits = pickle.loads(path.read_bytes())  # noqa: S301 - a file of our own
        return held
    nights = [night_of(week) for week in range(study.weeks)]
    fits = WeeklyFits(
        tuple(of_all_history(market, night) for night in nights),
        tuple(of_recent(market, night) for night in nights),
    )
    folder.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_bytes(pickle.dumps(fits))
    partial.replace(path)
    return fits


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


def of_recent(market: FadingMarket, night: int) -> TrainedSignal:
    """Return the model of the window that forgets."""
    quarter = -(-ROWS_OF_RECENT // (4 * market.symbols))
    splits = SplitSettings(4 * quarter + 1, 1, quarter, quarter, embargo=0)
    rows = market.between(night - 4 * quarter, night)
    return train_once(rows, features=FEATURES, settings=_settings(splits))


def _thinned(first: int, last: int, number: int) -> list[int]:
    """Return so many sessions of a range at even distances, the newest among them."""
    return sorted({int(one) for one in np.linspace(first, last - 1, number).round()})


def _settings(splits: SplitSettings) -> SignalSettings:
    """Return the desk's settings for one family, few seeds and few trees."""
    return SignalSettings(
        splits=splits, family=Family.LIGHTGBM, seeds=2, rounds=60, resamples=100, threads=1
    )
