"""Models of the pool: fitted by libraries, filtered by ours; both must say the same."""

from types import SimpleNamespace

import numpy as np
import pytest

from pipelines.forecasts.drift import shrunk_drift
from pipelines.forecasts.members.autoregression import AutoArima
from pipelines.forecasts.members.bootstrap import StationaryBootstrap
from pipelines.forecasts.members.catalogue import DEEP_MEMBERS, MEMBERS, pool_members
from pipelines.forecasts.members.deep import networks
from pipelines.forecasts.members.garch import FilteredHistoricalSimulation, filtered_variance
from pipelines.forecasts.members.member import FitError, Member, Question
from pipelines.forecasts.members.prophet_trend import ProphetTrend
from pipelines.forecasts.members.random_walk import RandomWalk
from pipelines.forecasts.members.smoothing import ExponentialSmoothing
from pipelines.forecasts.quantiles import LEVELS, FloatArray

MEDIAN = int(np.argmin(np.abs(LEVELS - 0.5)))


def simulated(seed: int = 1, sessions: int = 600) -> FloatArray:
    """Return log values with clustering volatility and returns that depend on the last one."""
    rng = np.random.default_rng(seed)
    made, variance, last = np.empty(sessions), 1e-4, 0.0
    for place in range(sessions):
        shock = np.sqrt(variance) * rng.standard_normal()
        last = 0.3 * last + shock
        made[place] = 0.0003 + last
        variance = 4e-6 + 0.1 * shock**2 + 0.86 * variance
    return np.cumsum(made)


def asked(log_values: FloatArray, origins: list[int], *, paths: int = 400) -> Question:
    """Return a question under a fit to the first 500 values."""
    return Question(log_values, 500, origins, list(range(1, 22)), paths)


LOG_VALUES = simulated()


@pytest.mark.parametrize("member", MEMBERS, ids=lambda member: member.name)
def test_quantiles_rise_and_widen(member: Member) -> None:
    """A fan that crosses, or narrows with time, is no distribution of a wandering value."""
    parameters = member.fit(LOG_VALUES[:500])
    made = member.quantiles(parameters, asked(LOG_VALUES, [499, 560]), np.random.default_rng(1))
    assert made.shape == (2, 21, len(LEVELS))
    assert (np.diff(made, axis=-1) >= 0).all()
    assert (made[:, -1, -1] - made[:, -1, 0] > 2 * (made[:, 0, -1] - made[:, 0, 0])).all()


@pytest.mark.parametrize("member", MEMBERS, ids=lambda member: member.name)
def test_nothing_after_an_origin_moves_its_forecast(member: Member) -> None:
    """Proof by mutation: other values after the origin, not there or there, change no bit."""
    parameters = member.fit(LOG_VALUES[:500])
    expected = member.quantiles(
        parameters, asked(LOG_VALUES[:531], [530]), np.random.default_rng(1)
    )
    changed = LOG_VALUES.copy()
    changed[531:] += np.random.default_rng(9).standard_normal(len(changed) - 531)
    made = member.quantiles(parameters, asked(changed, [510, 530, 580]), np.random.default_rng(1))
    assert np.array_equal(made[1], expected[0])


def test_the_variance_of_garch_is_the_recursion() -> None:
    """Glosten, Jagannathan and Runkle's formula, step by step."""
    parameters = FilteredHistoricalSimulation().fit(LOG_VALUES[:500])
    omega, alpha, gamma, beta, mean, now = (
        float(np.asarray(parameters[name]))
        for name in ("omega", "alpha", "gamma", "beta", "mean", "start")
    )
    shocks = np.diff(LOG_VALUES) - mean
    expected = [now]
    for shock in shocks:
        now = omega + (alpha + gamma * (shock < 0)) * shock**2 + beta * now
        expected.append(now)
    assert filtered_variance(parameters, shocks) == pytest.approx(expected, rel=1e-10)


def test_the_variance_of_garch_is_archs() -> None:
    """At the end of the fit our filter has to stand where the library's does."""
    from arch import arch_model

    parameters = FilteredHistoricalSimulation().fit(LOG_VALUES[:500])
    returns = np.diff(LOG_VALUES[:500]) * 100
    model = arch_model(
        returns - returns.mean(), mean="Zero", vol="GARCH", p=1, o=1, q=1, dist="t", rescale=False
    )
    theirs = model.fit(disp="off").conditional_volatility
    ours = 100 * np.sqrt(filtered_variance(parameters, returns / 100 - returns.mean() / 100))
    assert ours[200:499] == pytest.approx(theirs[200:], rel=1e-3)


def test_a_curve_without_a_stationary_garch_is_refused() -> None:
    """Variance that explodes would publish a fan from zero to anywhere."""
    returns = np.random.default_rng(4).standard_normal(400) * np.geomspace(1e-4, 0.05, 400)
    with pytest.raises(FitError, match="persistence"):
        FilteredHistoricalSimulation().fit(np.cumsum(returns))


def test_arima_is_statsforecasts() -> None:
    """Its forward filter and ours must forecast the same returns from later sessions."""
    from statsforecast.models import AutoARIMA

    returns = np.diff(LOG_VALUES) - np.diff(LOG_VALUES)[:499].mean()
    fitted = AutoARIMA(
        d=0,
        seasonal=False,
        max_p=2,
        max_q=2,
        max_order=2,
        approximation=True,
        allowmean=False,
    ).fit(returns[:499] / returns[:499].std())
    scale = returns[:499].std()
    theirs = fitted.forward(returns[:549] / scale, h=21, level=[90])
    parameters = AutoArima().fit(LOG_VALUES[:500])
    made = AutoArima().quantiles(parameters, asked(LOG_VALUES, [549]), np.random.default_rng(1))
    drift = shrunk_drift(np.diff(LOG_VALUES)[:499].mean(keepdims=True), np.array([499.0]))
    expected = np.cumsum(theirs["mean"]) * scale + drift * np.arange(1, 22)
    assert made[0, :, MEDIAN] == pytest.approx(expected, rel=1e-6)
    assert len(np.atleast_1d(parameters["autoregressive"])) + len(
        np.atleast_1d(parameters["moving_average"])
    ), "the series depends on its last return: a model without a coefficient proves nothing"


@pytest.mark.parametrize("coefficients", [{"ma1": -1.03}, {"ar1": 0.5, "ar2": 0.5}])
def test_an_arima_whose_filter_explodes_is_refused(
    coefficients: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen in the benchmark: a moving average of 1.03 made forecasts of e to the 10^9."""
    from statsforecast.models import AutoARIMA

    found = SimpleNamespace(model_={"coef": coefficients, "sigma2": 1.0})
    monkeypatch.setattr(AutoARIMA, "fit", lambda *_: found)
    with pytest.raises(FitError, match=r"root is 1\.0"):
        AutoArima().fit(LOG_VALUES[:500])


def test_smoothing_is_statsforecasts() -> None:
    """Level, trend and deviation after fifty more sessions, as the library has them."""
    from statsforecast.models import AutoETS

    trending = LOG_VALUES + 0.004 * np.arange(len(LOG_VALUES))
    theirs = AutoETS(model="AZN", season_length=1).fit(trending[:500])
    member, rng = ExponentialSmoothing(), np.random.default_rng(1)
    made = member.quantiles(member.fit(trending[:500]), asked(trending, [499, 549]), rng)
    low = int(np.argmin(np.abs(LEVELS - 0.05)))
    band = theirs.predict(21, level=[90])["lo-90"]
    assert made[0, :, low] == pytest.approx(band - trending[499], rel=1e-4)
    later = theirs.forward(trending[:550], h=21)["mean"]
    assert made[1, :, MEDIAN] == pytest.approx(later - trending[549], abs=1e-6)


def test_a_stretch_of_the_bootstrap_is_a_stretch_of_the_past() -> None:
    """Neighbouring returns must stay neighbours, or what they have in common is lost."""
    marked = np.concatenate([[0.0], np.cumsum(np.arange(1, 600) * 1e-4)])
    paths = StationaryBootstrap().paths(
        {"stretch": 1e9}, asked(marked, [499]), np.random.default_rng(1)
    )[0]
    drawn = np.diff(paths, axis=0)
    steps = np.round(np.diff(drawn, axis=0) * 1e4).astype(int)
    assert set(np.unique(steps)) <= {1, 1 - 499}, "the next return, or the first after the last"


def test_the_slope_of_prophet_is_the_trend() -> None:
    """A straight line has one slope, and the forecast goes on from the last value."""
    line = 0.001 * np.arange(520) + 1e-4 * np.random.default_rng(1).standard_normal(520)
    assert ProphetTrend().fit(line[:500])["slope"] == pytest.approx(0.001, rel=0.01)


def test_the_drift_is_shrunk_and_the_walk_is_as_wide_as_it_was() -> None:
    """A year's luck is not a forecast: with four years less than half of the mean is believed."""
    returns = 0.001 + 0.01 * np.random.default_rng(5).standard_normal(600)
    made = RandomWalk().quantiles(
        {}, asked(np.concatenate([[0.0], np.cumsum(returns)]), [500]), np.random.default_rng(1)
    )
    share = 500 * 0.25 / 252 / (1 + 500 * 0.25 / 252)
    assert made[0, 0, MEDIAN] == pytest.approx(share * returns[:500].mean())
    deviation = returns[:500].std(ddof=1)
    assert made[0, 0, -1] - made[0, 0, 0] == pytest.approx(2 * 3.09 * deviation, rel=1e-2)


def test_deep_models_are_asked_for_by_name_of_their_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """An ImportError in the middle of a night would not say what to install, or what to unset."""
    assert pool_members(deep=False) == MEMBERS
    monkeypatch.setattr(networks, "find_spec", lambda name: None if name == "torch" else name)
    with pytest.raises(
        networks.MissingExtraError, match=r"need torch: .*\.\[deep\].*unset"
    ) as told:
        pool_members(deep=True)
    assert "gluonts" not in str(told.value), "what is installed is not missing"
    monkeypatch.setattr(networks, "find_spec", lambda name: name)
    assert pool_members(deep=True) == (*MEMBERS, *DEEP_MEMBERS)
