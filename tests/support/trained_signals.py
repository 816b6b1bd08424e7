"""Trainings that several test modules look at, made once a run."""

from datetime import date, timedelta
from functools import cache

import polars as pl

from pipelines.signals.model import SignalTraining
from pipelines.signals.settings import SignalSettings
from pipelines.signals.training import train_signals
from pipelines.validation.splits import Fold, SplitSettings, walk_forward
from tests.support.panels import FEATURES, panel

PLANTED_STRENGTH = 0.18
PLANTED_SETTINGS = SignalSettings(
    splits=SplitSettings(warm_up=378, test=161, stop=63, calibrate=63, embargo=5),
    resamples=300,
    seeds=3,
)
SMALL_SETTINGS = SignalSettings(
    splits=SplitSettings(warm_up=200, test=40, stop=40, calibrate=40, embargo=3),
    rounds=40,
    resamples=100,
    seeds=2,
)


def train(
    rows: pl.DataFrame, settings: SignalSettings, *, fold_type: type[Fold] = Fold
) -> SignalTraining:
    """Train in silence on the walk-forward folds of `rows`, rebuilt as `fold_type`."""
    sessions = rows["session"].unique().sort().to_list()
    folds = [
        fold_type(fit=fold.fit, stop=fold.stop, calibrate=fold.calibrate, test=fold.test)
        for fold in walk_forward(sessions, settings.splits)
    ]
    return train_signals(
        rows, features=FEATURES, settings=settings, progress=lambda _: None, folds=folds
    )


@cache
def planted_panel() -> pl.DataFrame:
    """Return a panel in which an AUC of about 0.55 can be reached."""
    return panel(strength=PLANTED_STRENGTH, seed=7)


@cache
def planted_training() -> SignalTraining:
    """Return the training on the planted panel."""
    return train(planted_panel(), PLANTED_SETTINGS)


@cache
def small_panel() -> pl.DataFrame:
    """Return a planted panel that trains in a second; its labels end after five sessions."""
    return panel(strength=PLANTED_STRENGTH, seed=3, symbols=12, sessions=420, horizon=5)


@cache
def small_training() -> SignalTraining:
    """Return the training on the small panel."""
    return train(small_panel(), SMALL_SETTINGS)


def rows_of_tonight(rows: pl.DataFrame) -> tuple[pl.DataFrame, date]:
    """Return the last session's features as if they were those of the day after all labels."""
    tonight: date = max(rows["label_end"].to_list()) + timedelta(days=1)
    last = rows.filter(pl.col("session") == pl.col("session").max())
    return last.select("symbol", pl.lit(tonight).alias("session"), *FEATURES), tonight
