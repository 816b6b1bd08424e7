"""A model of the newest sessions alone: it forgets, and so it can follow a market that has turned.

Ten years of history outvote four weeks. The window is as short as holds ROWS_OF_WINDOW rows, and
is walked forward over the last quarter in blocks of a fifth of it: what each model said of the
block after it is the recipe's record, on which it is judged, and by which its signals earn an
opinion or abstain. Each model has seen only labels that were over before its block.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from math import ceil

import polars as pl

from pipelines.signals.model import SignalTraining
from pipelines.signals.settings import SignalSettings
from pipelines.signals.training import train_signals
from pipelines.validation.splits import Fold, SplitSettings, final_fold, held_back_fold

ROWS_OF_WINDOW = 5_000
SHORTEST, LONGEST = 10, 63
"""Sessions of a window: two weeks at least; where a quarter holds too few rows there is none."""
RECORD = 63
"""Sessions that the recipe is walked over."""


def sessions_of_window(rows_per_session: float) -> int | None:
    """Return how many sessions the window has; None where the market is too small for one."""
    wanted = max(ceil(ROWS_OF_WINDOW / rows_per_session), SHORTEST)
    return wanted if wanted <= LONGEST else None


def window_of(panel: pl.DataFrame) -> int | None:
    """Return the window of a panel; None where it is too small or too short for one."""
    newest = panel["session"].unique().sort().tail(RECORD + LONGEST)
    rows = panel.filter(pl.col("session").is_in(newest.implode())).height
    window = sessions_of_window(rows / len(newest)) if rows else None
    is_long = window is not None and len(newest) >= RECORD + window
    return window if is_long else None


def splits_of_window(window: int) -> SplitSettings:
    """Return how a window is cut: seven tenths to fit on, two to stop, one to calibrate.

    No embargo: the record is to be that of the models as they would have scored, whose newest label
    was over just before. A slice still loses the rows whose labels end in the next one.
    """
    return SplitSettings(
        warm_up=window,
        test=window // 5,
        stop=window // 5,
        calibrate=window // 10,
        embargo=0,
    )


def folds_of_window(sessions: Sequence[date], window: int) -> tuple[tuple[Fold, ...], Fold]:
    """Return the folds of the record, oldest first, and that of tonight's model.

    Blocks stand at fixed ordinals of the session list: a later night walks over the same models.
    """
    splits, number = splits_of_window(window), len(sessions)
    first = -(-max(number - RECORD, window) // splits.test) * splits.test
    folds = []
    for start in range(first, number, splits.test):
        end = min(start + splits.test, number)
        folds.append(held_back_fold(sessions[start - window : end], splits, end - start))
    return tuple(folds), final_fold(sessions[number - window :], splits)


def train_recent(
    panel: pl.DataFrame,
    *,
    features: Sequence[str],
    settings: SignalSettings,
    progress: Callable[[str], None],
    dispensable: Sequence[str] = (),
) -> SignalTraining | None:
    """Return the training of the window; None where there is no window.

    Its walk-forward models only make the record: `folds` is empty, since the past is scored by the
    models of all history. Arguments are those of `train_signals`, whose `settings.splits` the
    window's own replace.

    Raises:
        UnusableSliceError: a slice of a fold holds no usable row.
    """
    window = window_of(panel)
    if window is None:
        return None
    sessions = panel["session"].unique().sort().to_list()
    folds, final = folds_of_window(sessions, window)
    training = train_signals(
        panel.filter(pl.col("session") >= folds[0].fit.first),
        features=features,
        settings=replace(settings, splits=splits_of_window(window)),
        progress=lambda line: progress(f"window of {window} sessions, {line}"),
        folds=folds,
        final=final,
        dispensable=dispensable,
    )
    return replace(training, folds=())
