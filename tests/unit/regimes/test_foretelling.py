"""What is foretold of the market's next return is scored as mixtures of normals are."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from pipelines.regimes.filtering import filtered
from pipelines.regimes.foretelling import ForetoldReturn
from tests.support.regime_markets import a_model, market_returns

MODEL = a_model()
MIXED = ForetoldReturn.of(MODEL, np.array([0.7, 0.3]))


def distribution(value: float) -> float:
    """Return the mixture's distribution function, written plainly."""
    parts = zip(MIXED.chances, MIXED.means, MIXED.deviations, strict=True)
    return float(sum(chance * norm.cdf(value, mean, std) for chance, mean, std in parts))


@pytest.mark.parametrize("value", [-0.05, 0.0004, 0.02])
def test_crps_is_the_integral_that_defines_it(value: float) -> None:
    """The closed form must be the integral of the squared distance of distribution functions."""
    below = quad(lambda x: distribution(x) ** 2, -0.3, value, limit=200, epsabs=1e-10)[0]
    above = quad(lambda x: (1 - distribution(x)) ** 2, value, 0.3, limit=200, epsabs=1e-10)[0]
    assert MIXED.crps(value) == pytest.approx(below + above, abs=1e-8)
    assert MIXED.level(value) == pytest.approx(distribution(value))


def test_the_log_score_is_the_filters_own() -> None:
    """Models were chosen by the filter's log score; the record must measure the same quantity."""
    returns, _ = market_returns(80)
    predicted, posterior = filtered(
        MODEL.log_likelihoods(returns[:, None]), start=MODEL.start, transition=MODEL.transition
    )
    densities = np.exp(MODEL.market_log_densities(returns))
    expected = np.log((predicted * densities).sum(axis=1))[1:]
    made = [
        ForetoldReturn.of(MODEL, before @ MODEL.transition).log_score(value)
        for before, value in zip(posterior[:-1], returns[1:].tolist(), strict=True)
    ]
    assert made == pytest.approx(expected)


def test_the_baseline_has_the_moments_of_all_sessions() -> None:
    """A baseline that is too narrow or too wide would be beaten by anything."""
    baseline = ForetoldReturn.baseline(
        a_model(means=(0.01, -0.01), stds=(0.02, 0.02), weights=(1, 1))
    )
    assert baseline.means[0] == pytest.approx(0.0)
    assert baseline.deviations[0] ** 2 == pytest.approx(0.02**2 + 0.01**2)
