"""Both boosting libraries give the same bytes again, and explanations that add up."""

from dataclasses import replace

import lightgbm
import numpy as np
import polars as pl
import pytest

from pipelines.signals.booster import boost, mean_contributions, member_margins
from pipelines.signals.boosting_rows import BoostingSlice, feature_matrix
from pipelines.signals.settings import Family, SignalSettings
from tests.support.panels import FEATURES, panel
from tests.support.trained_signals import small_panel

SETTINGS = SignalSettings(seeds=2, rounds=30, fewest_rounds=5)


def _slices() -> tuple[object, ...]:
    rows = small_panel().drop_nulls().sort("session", "symbol")
    return rows.head(2000), rows.tail(800)


@pytest.mark.parametrize("family", [Family.LIGHTGBM, Family.CATBOOST])
def test_equal_rows_give_equal_text_on_any_number_of_threads(family: Family) -> None:
    """Replay rebuilds to the byte, on a machine with other cores too."""
    fit, stop = _slices()
    made = [
        boost(
            fit, stop, features=FEATURES, settings=replace(SETTINGS, family=family, threads=count)
        )
        for count in (1, 2)
    ]
    assert made[0] == made[1]
    assert len({member.text for member in made[0]}) == SETTINGS.seeds


def test_columns_in_pieces_give_the_trees_of_one_matrix() -> None:
    """A panel that is read in pieces, with gaps, would be another model than the same rows held."""
    rows, _ = _slices()
    gap = pl.when(pl.int_range(pl.len()) % 7 > 0).then(pl.col(FEATURES[0])).alias(FEATURES[0])
    pieces = [rows.with_columns(gap)[begin : begin + 300] for begin in range(0, 2000, 300)]
    one = BoostingSlice.of(pl.concat(pieces, rechunk=False), FEATURES)
    assert one.columns.n_chunks() > 1
    made = []
    for data in (one.columns.to_arrow(), one.matrix):
        dataset = lightgbm.Dataset(data, label=one.is_up, feature_name=list(FEATURES))
        trained = lightgbm.train({"verbosity": -1, "seed": 1}, dataset, num_boost_round=10)
        made.append(trained.model_to_string())
    assert made[0] == made[1]


def test_an_ensembles_contributions_add_up_to_its_mean_margin() -> None:
    """Two libraries explain in two ways; their mean must still explain the mean."""
    fit, stop = _slices()
    members = boost(fit, stop, features=FEATURES, settings=SETTINGS)
    matrix = feature_matrix(stop, FEATURES)
    assert [member.family for member in members] == [Family.LIGHTGBM] * 2 + [Family.CATBOOST] * 2
    margins = member_margins(members, matrix)
    parts = mean_contributions(members, matrix)
    assert parts.sum(axis=1) == pytest.approx(margins.mean(axis=0), abs=1e-9)
    # Neither family spends its trees on the level of the market.
    assert np.abs(margins.mean(axis=1) - margins.mean()).max() < 0.1


def test_no_fewer_rounds_are_kept_than_asked() -> None:
    """A stop slice that speaks against the signal from the first tree on must not end it there."""
    fit, stop = _slices()
    against = stop.with_columns(~stop["is_up"])
    members = boost(fit, against, features=FEATURES, settings=SETTINGS)
    assert {member.trees for member in members} == {SETTINGS.fewest_rounds}


def test_a_market_of_one_symbol_is_learned_from_too() -> None:
    """What a session's rows have in common is all that there is where a session has one row."""
    rows = panel(strength=0.6, seed=1, symbols=1, sessions=2500).drop_nulls()
    members = boost(rows.head(2000), rows.tail(400), features=FEATURES, settings=SETTINGS)
    margins = member_margins(members, feature_matrix(rows, FEATURES))
    truth = rows["true_probability"].to_numpy()
    assert min(np.corrcoef(margin, truth)[0, 1] for margin in margins) > 0.5
