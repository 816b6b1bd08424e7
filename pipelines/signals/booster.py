"""Boosters behind plain text: rows in, text out; text in, margins and contributions out.

The libraries are imported by their own modules, and this module only inside functions, since their
import takes seconds that definitions must not pay.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import numpy as np
import polars as pl

from pipelines.signals import catboost_booster, lightgbm_booster
from pipelines.signals.boosting_rows import BoostingRows, FloatMatrix
from pipelines.signals.members import Member
from pipelines.signals.settings import Family, SignalSettings
from pipelines.validation.logistic import FloatArray
from pipelines.validation.splits import UnusableSliceError


class _Library(Protocol):
    """What each boosting library's module offers."""

    def boost(self, rows: BoostingRows, settings: SignalSettings, *, seed: int) -> tuple[str, int]:
        """Return the booster as text, cut after its best round, and its number of trees."""

    def raw_margins(self, text: str, matrix: FloatMatrix) -> FloatArray:
        """Return the raw log-odds of each row of `matrix` (rows × features of the model)."""

    def raw_contributions(self, text: str, matrix: FloatMatrix) -> FloatArray:
        """Return SHAP values in log-odds: rows × features, then the bias."""


LIBRARIES: dict[Family, _Library] = {
    Family.LIGHTGBM: lightgbm_booster,
    Family.CATBOOST: catboost_booster,
}


def boost(
    fit: pl.DataFrame, stop: pl.DataFrame, *, features: tuple[str, ...], settings: SignalSettings
) -> tuple[Member, ...]:
    """Return boosters of `fit` for each family and seed, cut after the round best on `stop`.

    Equal rows in equal order give equal text, on any number of threads.

    Raises:
        UnusableSliceError: all rows of `fit` have the same outcome.
    """
    if fit["is_up"].n_unique() < 2:
        message = (
            f"all {fit.height} rows of the fit slice have the same outcome, so there is nothing to "
            "learn: check the labels, or load a longer history"
        )
        raise UnusableSliceError(message)
    rows = BoostingRows.of(fit, stop, features)
    wanted = [
        (family, seed) for family in settings.family.boosters for seed in settings.booster_seeds
    ]
    # One thread a booster: sums in a fixed order, and small fits don't wait for one another.
    with ThreadPoolExecutor(max_workers=settings.threads) as pool:
        return tuple(pool.map(lambda one: _member(*one, rows=rows, settings=settings), wanted))


def member_margins(members: Sequence[Member], matrix: FloatMatrix) -> FloatArray:
    """Return the raw log-odds that each member gives each row of `matrix` (members × rows)."""
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


def _member(family: Family, seed: int, *, rows: BoostingRows, settings: SignalSettings) -> Member:
    text, trees = LIBRARIES[family].boost(rows, settings, seed=seed)
    return Member(family, text, trees)
