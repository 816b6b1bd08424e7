"""Labels that hold: hysteresis, dwell, churn, and how a regime should go on."""

import numpy as np
import pytest

from pipelines.regimes.endings import endings
from pipelines.regimes.labels import (
    agreement,
    sessions_in_label,
    settled,
    switches_per_year,
)
from pipelines.regimes.names import NAMES, Regime
from pipelines.regimes.trailing import trailing_metrics

BULL, VOLATILE = NAMES.index(Regime.BULLISH), NAMES.index(Regime.VOLATILE)


def chances(*bullish: float) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Return probabilities of names; what is not bullish is volatile."""
    rows = np.zeros((len(bullish), len(NAMES)))
    rows[:, BULL], rows[:, VOLATILE] = bullish, 1.0 - np.array(bullish)
    return rows


def test_a_label_gives_way_only_to_one_that_is_clearly_likelier() -> None:
    """At even chances a label without hysteresis would change every day."""
    labels = settled(chances(0.9, 0.45, 0.55, 0.45, 0.2, 0.45), margin=0.2, dwell=1)
    assert labels.tolist() == [BULL, BULL, BULL, BULL, VOLATILE, VOLATILE]


def test_a_label_stands_for_its_dwell() -> None:
    """Two days of panic and back are no regime each."""
    labels = settled(chances(0.9, 0.9, 0.0, 1.0, 1.0, 1.0), margin=0.2, dwell=2)
    assert labels.tolist() == [BULL, BULL, VOLATILE, VOLATILE, BULL, BULL]


def test_labels_of_the_past_stay_whatever_comes() -> None:
    """A label that looked ahead would be surer than anyone could be that night."""
    rng = np.random.default_rng(1)
    whole = rng.dirichlet(np.ones(4), size=200)
    labels = settled(whole, margin=0.2, dwell=5)
    for cut in (1, 57, 199):
        assert np.array_equal(settled(whole[:cut], margin=0.2, dwell=5), labels[:cut])


def test_churn_and_agreement_are_counted() -> None:
    """Both stand beside each regime."""
    labels = np.array([0, 0, 1, 1, 1, 0])
    assert switches_per_year(labels) == pytest.approx(2 / 5 * 252)
    assert sessions_in_label(labels).tolist() == [1, 2, 1, 2, 3, 1]
    assert agreement(labels, np.zeros(6, dtype=np.int64)) == 0.5


def test_a_chain_that_leaves_with_one_in_ten_goes_on_for_ten_sessions() -> None:
    """The mean of the geometric distribution, and its tail for the risk."""
    transition = np.array([[0.9, 0.1], [0.5, 0.5]])
    names = (Regime.BULLISH, Regime.VOLATILE)
    expected, risk = endings(
        np.array([[1.0, 0.0]]), np.array([BULL]), transition=transition, names=names
    )
    assert expected[0] == pytest.approx(10.0)
    assert risk[0] == pytest.approx(1.0 - 0.9**5)


def test_what_may_be_over_already_counts_as_risk() -> None:
    """A label held by hysteresis alone is at risk, however long its states last."""
    transition = np.array([[1.0 - 1e-9, 1e-9], [0.5, 0.5]])
    names = (Regime.BULLISH, Regime.VOLATILE)
    expected, risk = endings(
        np.array([[0.3, 0.7]]), np.array([BULL]), transition=transition, names=names
    )
    assert risk[0] == pytest.approx(0.7)
    assert np.isnan(expected[0]), "no end of such a state is foreseen"


def test_metrics_are_in_the_units_of_the_backend() -> None:
    """Percent, a drawdown above zero, and a momentum in standard errors."""
    returns = np.log([[1.1, 0.9, 1.05]])
    metrics = {name: float(value[0]) for name, value in trailing_metrics(returns).items()}
    assert metrics["trailing_return_pct"] == pytest.approx((1.1 * 0.9 * 1.05 - 1) * 100)
    assert metrics["drawdown_pct"] == pytest.approx((1 - 0.9 * 1.05) * 100)
    deviation = returns[0].std(ddof=1)
    assert metrics["volatility_pct"] == pytest.approx(deviation * 252**0.5 * 100)
    assert metrics["momentum_z"] == pytest.approx(returns[0].mean() / (deviation / 3**0.5))


@pytest.mark.parametrize("returns", [[np.nan, np.nan], [0.0, 0.0], [0.01]])
def test_metrics_of_next_to_nothing_are_numbers(returns: list[float]) -> None:
    """NaN in one document would poison the backend's list."""
    assert all(np.isfinite(value).all() for value in trailing_metrics(np.array([returns])).values())
