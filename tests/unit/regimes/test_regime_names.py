"""Names of states: the rule, names that hold, and renamings that are told."""

import numpy as np
import pytest

from pipelines.regimes.names import Regime
from pipelines.regimes.naming import Moments, name_matrix, name_states, rule_name
from tests.support.regime_markets import a_model


@pytest.mark.parametrize(
    ("drift", "volatility", "name"),
    [
        (0.20, 0.15, "bullish"),
        (0.00, 0.40, "volatile"),
        (-0.30, 0.18, "bearish"),
        (-0.60, 0.40, "bearish"),
        (0.03, 0.15, "sideways"),
        (0.30, 0.30, "volatile"),
    ],
)
def test_the_rule_names_by_moments(drift: float, volatility: float, name: str) -> None:
    """A bull market of 20 % at 15 % volatility is bearish on 62 % of days by the backend's rule."""
    assert rule_name(Moments(drift, volatility, years=10)).value == name


def test_a_short_past_proves_no_trend() -> None:
    """Three months of a rise of 20 % a year are next to nothing."""
    assert rule_name(Moments(0.10, 0.15, years=10)) is Regime.BULLISH
    assert rule_name(Moments(0.10, 0.15, years=0.25)) is Regime.SIDEWAYS


def test_luck_does_not_name_a_state_of_few_years() -> None:
    """At 22 % volatility two years tell a drift to within 16 %: what is usual counts, too."""
    assert rule_name(Moments(-0.10, 0.22, years=2)) is Regime.BEARISH
    assert rule_name(Moments(-0.10, 0.15, years=2)) is Regime.SIDEWAYS
    assert rule_name(Moments(0.10, 0.10, years=2)) is Regime.BULLISH


@pytest.mark.parametrize(
    ("drift", "volatility", "before"),
    [(0.085, 0.15, "bullish"), (-0.03, 0.15, "bearish"), (0.0, 0.26, "volatile")],
)
def test_a_name_is_given_up_later_than_it_is_given(
    drift: float, volatility: float, before: str
) -> None:
    """Moments at the edge would otherwise rename a state with every fit."""
    edge = Moments(drift, volatility, years=10)
    assert rule_name(edge) is Regime.SIDEWAYS
    assert rule_name(edge, before=Regime(before)) is Regime(before)


def test_states_are_matched_by_the_sessions_they_share() -> None:
    """Hmmlearn orders states at random: names must follow the state, not its number."""
    model = a_model(means=(-0.0005, 0.0003), stds=(0.022, 0.0095), weights=(500.0, 5000.0))
    swapped = np.array([[5.0, 480.0], [1500.0, 15.0]])
    former = (Regime.BULLISH, Regime.VOLATILE)
    naming = name_states(model, former=former, shared=swapped)
    assert naming.names == (Regime.VOLATILE, Regime.BULLISH)
    assert naming.matches == (1, 0)
    assert naming.renamings == ()
    assert name_states(model).names[1] is Regime.SIDEWAYS, "it is bullish because it was"


def test_a_renaming_is_an_event() -> None:
    """Whoever acts on a name must be told when a refit changes what it stands for."""
    naming = name_states(
        a_model(), former=(Regime.BEARISH, Regime.VOLATILE), shared=np.eye(2) * 100
    )
    (renaming,) = naming.renamings
    assert (renaming.state, renaming.before, renaming.after) == (
        *(0, Regime.BEARISH, Regime.BULLISH),
    )


def test_a_state_too_many_is_named_by_the_rule_alone() -> None:
    """One of three new states has no former one to follow."""
    model = a_model(
        means=(0.001, 0.0, 0.0), stds=(0.006, 0.012, 0.025), weights=(900.0, 900.0, 300.0)
    )
    shared = np.array([[90.0, 0.0], [10.0, 5.0], [0.0, 95.0]])
    naming = name_states(model, former=(Regime.BULLISH, Regime.VOLATILE), shared=shared)
    assert naming.matches == (0, None, 1)
    assert naming.names == (Regime.BULLISH, Regime.SIDEWAYS, Regime.VOLATILE)


def test_states_of_one_name_add_up() -> None:
    """Two volatile states are one regime to a reader."""
    names = (Regime.VOLATILE, Regime.BULLISH, Regime.VOLATILE)
    chances = np.array([0.2, 0.5, 0.3]) @ name_matrix(names)
    assert chances == pytest.approx([0.5, 0.0, 0.0, 0.5])
