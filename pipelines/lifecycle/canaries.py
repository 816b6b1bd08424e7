"""Canaries: controls with a known answer, run beside a training on a part of its panel.

A canary that fails says that the training can't be trusted, whatever its figures: its model is not
promoted. The night goes on with the champion that there is.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import polars as pl

from pipelines.lifecycle.evidence import Canary, CanaryName
from pipelines.scratch import rows_where
from pipelines.signals.booster import boost, member_margins
from pipelines.signals.boosting_rows import feature_matrix
from pipelines.signals.members import Member
from pipelines.signals.model import TrainedSignal
from pipelines.signals.scoring import score_signals
from pipelines.signals.settings import Family, SignalSettings
from pipelines.signals.usable_rows import PANEL_KEY, usable_rows
from pipelines.validation.logistic import FloatArray, expit, logit
from pipelines.validation.metrics import BoolArray, information_z
from pipelines.validation.session_bootstrap import SessionResamples, area_under_curve
from pipelines.validation.splits import Fold, SessionRange

# What a training needs at most to be tried: the newest sessions that hold so many rows.
MOST_ROWS = 30_000
FEWEST_SESSIONS = 120
CALIBRATE_SESSIONS = 10
# Two-sided 0.1 %: of weekly trainings, one year in ten has a false alarm of one of the two.
NOISE_LIMIT = 3.29
# No honest feature of a daily bar ranks the next session so well; a day's return that is told a day
# too soon has an AUC of 1, one of a week about 0.65.
LEAK_AREA = 0.60
LEAK_Z = 5.0
# Noise of the planted leak, in deviations of the return that it knows: an AUC of about 0.75.
LEAK_NOISE = 1.0
PERMUTATIONS = 10
PLANTED, NOISE = "planted_leak", "planted_noise"


@dataclass(frozen=True, eq=False)
class _Trial:
    """A small training to try things on: rows, how they are cut, settings, random numbers."""

    rows: pl.DataFrame
    fold: Fold
    features: tuple[str, ...]
    settings: SignalSettings
    rng: np.random.Generator


def run_canaries(
    panel: pl.DataFrame, model: TrainedSignal, *, fold_type: type[Fold] = Fold
) -> tuple[Canary, ...]:
    """Return what every control says of a training.

    Args:
        panel: What the training learned from.
        model: The model that it made for tonight.
        fold_type: How slices are cut; another one in tests of broken cuts.
    """
    rng = np.random.default_rng(model.settings.seed)
    rows = usable_rows(_newest(panel), model.features, dispensable=model.features)
    trial = _trial(_planted(rows, rng), model, rng=rng, fold_type=fold_type)
    found = suspects(trial.rows, (*model.features, PLANTED))
    return _shuffled(trial), _leak(found), _honest(found), _noise(trial), _repeat(model, rows)


def suspects(rows: pl.DataFrame, features: Sequence[str]) -> dict[str, float]:
    """Return the features that rank the next session better than any may, with their AUC.

    A feature that ranks it the wrong way round knows as much.
    """
    found = {}
    for name in features:
        known = rows.select("session", "is_up", name).drop_nulls()
        if known["is_up"].n_unique() < 2:
            continue
        ranks = known[name].rank().to_numpy() / known.height
        is_up = known["is_up"].to_numpy()
        z = information_z(ranks, is_up, known["session"].to_numpy())
        area = _area(ranks, is_up)
        if z is not None and abs(z) >= LEAK_Z and abs(area - 0.5) >= LEAK_AREA - 0.5:
            found[name] = area
    return found


def _newest(panel: pl.DataFrame) -> pl.DataFrame:
    """Return the newest sessions whose labelled rows are at most MOST_ROWS, or FEWEST_SESSIONS."""
    is_labelled = pl.all_horizontal(pl.col(PANEL_KEY).is_not_null())
    by_session = (
        panel.select("session", is_labelled.alias("is_labelled"))
        .group_by("session")
        .agg(rows=pl.col("is_labelled").sum())
        .filter(pl.col("rows") > 0)
        .sort("session", descending=True)
    )
    fitting = by_session.filter(pl.col("rows").cum_sum() <= MOST_ROWS).height
    first = by_session["session"].head(max(FEWEST_SESSIONS, fitting)).to_list()[-1]
    return rows_where(panel, panel["session"] >= first)


def _planted(rows: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Return rows with two features of ours: one that knows the next return, one that is noise."""
    returns = rows["next_session_return"].to_numpy()
    leak = returns + LEAK_NOISE * returns.std() * rng.standard_normal(rows.height)
    return rows.with_columns(
        pl.Series(PLANTED, leak, dtype=pl.Float32),
        pl.Series(NOISE, rng.standard_normal(rows.height), dtype=pl.Float32),
    )


def _trial(
    rows: pl.DataFrame, model: TrainedSignal, *, rng: np.random.Generator, fold_type: type[Fold]
) -> _Trial:
    """Cut rows: half to fit on, some to stop by, the last third to test on, with embargoes."""
    sessions = rows["session"].unique().sort().to_list()
    embargo = model.settings.splits.embargo
    stop, test = len(sessions) // 2, 2 * len(sessions) // 3
    calibrate = test - embargo - CALIBRATE_SESSIONS
    fold = fold_type(
        fit=SessionRange(sessions[0], sessions[stop - embargo - 1]),
        stop=SessionRange(sessions[stop], sessions[calibrate - embargo - 1]),
        calibrate=SessionRange(sessions[calibrate], sessions[test - embargo - 1]),
        test=SessionRange(sessions[test], sessions[-1]),
    )
    settings = replace(
        model.settings, family=Family.LIGHTGBM, seeds=1, rounds=60, fewest_rounds=20, patience=10
    )
    return _Trial(rows, fold, model.features, settings, rng)


def _shuffled(trial: _Trial) -> Canary:
    """Train and test on labels in a random order: who knows something of them has seen them."""
    labels = trial.rows["is_up"].to_numpy()[trial.rng.permutation(trial.rows.height)]
    parts = trial.fold.rows(trial.rows.with_columns(is_up=pl.Series(labels)))
    members = boost(parts.fit, parts.stop, features=trial.features, settings=trial.settings)
    margin = _margin(members, parts.test, trial.features)
    is_up = parts.test["is_up"].to_numpy()
    z = information_z(expit(margin), is_up, parts.test["session"].to_numpy())
    note = f"AUC {_area(margin, is_up):.3f}, {_in_errors(z)} from 0.5"
    return Canary(CanaryName.SHUFFLED, z is None or abs(z) < NOISE_LIMIT, note)


def _leak(found: Mapping[str, float]) -> Canary:
    """Require that a feature which knows the next return is found out."""
    is_caught = PLANTED in found
    note = f"caught with an AUC of {found[PLANTED]:.3f}" if is_caught else "not caught"
    return Canary(CanaryName.LEAK, is_caught, note)


def _honest(found: Mapping[str, float]) -> Canary:
    """Require that no feature of the catalogue is found out like a planted leak."""
    guilty = {name: area for name, area in found.items() if name != PLANTED}
    named = ", ".join(f"{name} (AUC {area:.3f})" for name, area in guilty.items())
    return Canary(CanaryName.HONEST, not guilty, f"too good to be true: {named or 'none'}")


def _noise(trial: _Trial) -> Canary:
    """Train with a feature of noise, and ask what permuting it costs out of sample."""
    parts, features = trial.fold.rows(trial.rows), (*trial.features, NOISE)
    members = boost(parts.fit, parts.stop, features=features, settings=trial.settings)
    level = float(logit(np.array(parts.fit["is_up"].sum() / parts.fit.height)))
    is_up = parts.test["is_up"].to_numpy()
    honest = _loss(_margin(members, parts.test, features) + level, is_up)
    cost = np.zeros(len(is_up))
    for _ in range(PERMUTATIONS):
        mixed = trial.rng.permutation(parts.test[NOISE].to_numpy())
        permuted = parts.test.with_columns(pl.Series(NOISE, mixed))
        cost += _loss(_margin(members, permuted, features) + level, is_up) - honest
    cost /= PERMUTATIONS
    _, session = np.unique(parts.test["session"].to_numpy(), return_inverse=True)
    error = float(np.sqrt((np.bincount(session, weights=cost - cost.mean()) ** 2).sum()))
    z = float(cost.sum()) / error if error > 0 else None
    note = f"importance {cost.mean():.2e} nats, {_in_errors(z)} from zero"
    return Canary(CanaryName.NOISE, z is None or abs(z) < NOISE_LIMIT, note)


def _repeat(model: TrainedSignal, rows: pl.DataFrame) -> Canary:
    """Score the newest session twice, the second time by a copy that went through its file."""
    night = model.trained_through + timedelta(days=1)
    features = rows.filter(pl.col("session") == pl.col("session").max()).with_columns(
        session=pl.lit(night)
    )
    stored = TrainedSignal.from_document(json.loads(json.dumps(model.to_document())))
    first, second = (
        score_signals(one, features, features["symbol"].to_list(), session=night)
        for one in (model, stored)
    )
    differing = sum(not first[name].equals(second[name]) for name in first.columns)
    note = f"{first.height} symbols scored twice, {differing} columns differ"
    return Canary(CanaryName.REPEAT, differing == 0, note)


def _margin(members: Sequence[Member], rows: pl.DataFrame, features: tuple[str, ...]) -> FloatArray:
    """Return the mean margin of a small ensemble."""
    return np.asarray(member_margins(members, feature_matrix(rows, features)).mean(axis=0))


def _loss(log_odds: FloatArray, is_up: BoolArray) -> FloatArray:
    """Return the log loss of each row."""
    return np.logaddexp(0.0, np.where(is_up, -log_odds, log_odds))


def _area(score: FloatArray, is_up: BoolArray) -> float:
    """Return the AUC of a score."""
    once = SessionResamples(np.ones((1, 1)), np.zeros(len(score), dtype=np.intp))
    return float(area_under_curve(score, is_up, once)[0])


def _in_errors(z: float | None) -> str:
    """Say how many standard errors a figure lies off."""
    return "no measurable distance" if z is None else f"{abs(z):.1f} standard errors"
