"""Boosters behind plain text: rows in, text out; text in, margins and contributions out.

The libraries are imported by their own modules, and this module only inside functions, since their
import takes seconds that definitions must not pay.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Protocol

import numpy as np
import polars as pl

from pipelines.scratch import IN_MEMORY, Scratch
from pipelines.signals import catboost_booster, lightgbm_booster
from pipelines.signals.boosting_rows import BoostingSlice, FloatMatrix
from pipelines.signals.members import Member
from pipelines.signals.settings import Family, SignalSettings
from pipelines.validation.logistic import FloatArray
from pipelines.validation.splits import UnusableSliceError

Learner = Callable[[int, int], tuple[str, int]]
"""From a seed and a number of rounds to a booster as text, and its number of trees."""


class _Library(Protocol):
    """What each boosting library's module offers."""

    def best_round(
        self, fit: BoostingSlice, stop: BoostingSlice, settings: SignalSettings, *, seed: int
    ) -> int:
        """Return how many rounds of boosting on `fit` are best on `stop`."""

    def learner(self, rows: BoostingSlice, settings: SignalSettings) -> Learner:
        """Return what makes boosters of `rows`, which are put into bins once for all of them."""

    def raw_margins(self, text: str, matrix: FloatMatrix) -> FloatArray:
        """Return the raw margin of each row of `matrix` (rows × features of the model)."""

    def raw_contributions(self, text: str, matrix: FloatMatrix) -> FloatArray:
        """Return SHAP values in log-odds: rows × features, then the bias."""


LIBRARIES: dict[Family, _Library] = {
    Family.LIGHTGBM: lightgbm_booster,
    Family.CATBOOST: catboost_booster,
}


def boost(
    fit: pl.DataFrame,
    stop: pl.DataFrame,
    *,
    features: tuple[str, ...],
    settings: SignalSettings,
    scratch: Scratch = IN_MEMORY,
) -> tuple[Member, ...]:
    """Return boosters of `fit` and `stop` for each family and seed.

    A scout of each family learns from `fit` alone; the round at which it was best on `stop` is how
    long all others learn, from both slices. Equal rows in equal order give equal text, on any
    number of threads, wherever they lie.

    Raises:
        UnusableSliceError: all rows of `fit` have the same outcome.
    """
    if fit["is_up"].n_unique() < 2:
        message = (
            f"all {fit.height} rows of the fit slice have the same outcome, so there is nothing to "
            "learn: check the labels, or load a longer history"
        )
        raise UnusableSliceError(message)
    families = settings.family.boosters
    # One thread a booster: sums in a fixed order, and small fits don't wait for one another.
    with ThreadPoolExecutor(max_workers=settings.threads) as pool:
        scouted = BoostingSlice.of(fit, features, scratch=scratch)
        rounds = _rounds(pool, scouted, scouted.judging(stop), settings=settings)
        # Done with: a scout's rows in bins are not held beside those of the others.
        del scouted
        rows = BoostingSlice.of(pl.concat([fit, stop]), features, scratch=scratch)
        learners = pool.map(lambda one: LIBRARIES[one].learner(rows, settings), families)
        wanted = [
            (family, learner, seed, number)
            for family, learner, number in zip(families, learners, rounds, strict=True)
            for seed in settings.booster_seeds
        ]
        return tuple(pool.map(lambda one: _member(*one), wanted))


def member_margins(members: Sequence[Member], matrix: FloatMatrix) -> FloatArray:
    """Return the raw margin that each member gives each row of `matrix` (members × rows).

    A margin is in log-odds above those of the base rate.
    """
    return np.vstack(
        [LIBRARIES[member.family].raw_margins(member.text, matrix) for member in members]
    )


def family_margins(members: Sequence[Member], margins: FloatArray, family: Family) -> FloatArray:
    """Return the mean margin of a family's members (from members × rows of all members)."""
    belongs = [member.family in family.boosters for member in members]
    return np.asarray(margins[belongs].mean(axis=0))


def mean_contributions(members: Sequence[Member], matrix: FloatMatrix) -> FloatArray:
    """Return the members' mean SHAP values (rows × features, then the bias).

    SHAP is linear in the model, so a row sums to the members' mean margin.
    """
    parts = [LIBRARIES[member.family].raw_contributions(member.text, matrix) for member in members]
    return np.asarray(np.mean(parts, axis=0))


def _rounds(
    pool: Executor, fit: BoostingSlice, stop: BoostingSlice, *, settings: SignalSettings
) -> list[int]:
    """Return how long the boosters of each family are to learn."""
    seed = settings.booster_seeds[0]
    scouts = [
        pool.submit(LIBRARIES[family].best_round, fit, stop, settings, seed=seed)
        for family in settings.family.boosters
    ]
    return [settings.kept_rounds(scout.result()) for scout in scouts]


def _member(family: Family, learner: Learner, seed: int, rounds: int) -> Member:
    text, trees = learner(seed, rounds)
    return Member(family, text, trees)
