"""The least change that flips a signal: it flips, it is feasible, and no smaller one does."""

import numpy as np
import polars as pl

from pipelines.evaluation.counterfactuals import MOST_CHANGES, STEPS, Counterfactual
from pipelines.evaluation.replay import Turn, turns
from pipelines.signals.model import finite_features
from pipelines.signals.scoring import BUY_MARGIN
from pipelines.validation.logistic import FloatArray
from tests.support.evaluated import models_of, small_evaluation
from tests.support.trained_signals import small_panel, small_training


def turn_of(found: Counterfactual) -> Turn:
    """Return the turn that a signal was given in."""
    (turn,) = [
        one
        for one in turns(small_panel(), models_of(small_training()))
        if one.version == found.model_version
    ]
    return turn


def side(turn: Turn, values: FloatArray) -> int:
    """Return 1 for a buy, -1 for a sell, 0 for a hold."""
    model = turn.model
    frame = pl.DataFrame([tuple(values)], schema=list(model.features), orient="row")
    distance = model.calibration.probability(model.margins(frame))[0] - model.base_rate
    return int(distance >= BUY_MARGIN) - int(distance <= -BUY_MARGIN)


def values_of(turn: Turn, found: Counterfactual) -> FloatArray:
    """Return the features of a signal."""
    row = turn.rows.filter(symbol=found.symbol, session=found.session)
    return row.select(finite_features(turn.model.features)).to_numpy()[0].astype(np.float64)


def flipped() -> list[Counterfactual]:
    """Return the signals of the whole panel that some change flips."""
    return [one for one in small_evaluation()[0].counterfactuals if one.changes]


def test_the_changes_flip_the_signal() -> None:
    """A change that does not would explain nothing."""
    assert len(flipped()) == 3
    for one in flipped():
        turn = turn_of(one)
        before = values_of(turn, one)
        after = before.copy()
        for change in one.changes:
            after[turn.model.features.index(change.feature)] = change.changed_to
        assert side(turn, before) != side(turn, after)
        assert len(one.changes) <= MOST_CHANGES


def test_changes_stay_within_what_training_has_seen() -> None:
    """A value that never was is no advice."""
    for one in flipped():
        ranges = turn_of(one).model.feature_ranges
        for change in one.changes:
            low, high = ranges[change.feature]
            assert low <= change.changed_to <= high
            assert 0 <= change.changed_percentile <= 1


def test_a_single_change_is_the_least_on_the_grid() -> None:
    """Tried by hand: every shorter move of every feature leaves the signal as it was."""
    single = [one for one in flipped() if len(one.changes) == 1]
    assert single
    shares = np.linspace(0, 1, STEPS)
    for one in single:
        turn = turn_of(one)
        before, model = values_of(turn, one), turn.model
        seen = small_panel().filter(pl.col("label_end") <= model.trained_through)
        for place, name in enumerate(model.features):
            steps = np.quantile(seen[name].drop_nulls().to_numpy().astype(np.float64), shares)
            own = np.interp(before[place], steps, shares)
            nearer = steps[np.abs(shares - own) < one.changes[0].cost - 1e-9]
            for value in nearer:
                moved = before.copy()
                moved[place] = value
                assert side(turn, moved) == side(turn, before)
