"""Rolling-origin evaluation and tonight's forecast, with models that cost nothing to fit."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from pipelines.forecasts.curve import (
    EquityCurve,
    UnfitCurveError,
    require_forecastable,
)
from pipelines.forecasts.evaluation import (
    POOL,
    PUBLISHED,
    Evaluations,
    empty_evaluations,
    evaluate,
)
from pipelines.forecasts.fits import Fits
from pipelines.forecasts.forecast import Distribution, forecast
from pipelines.forecasts.light import Light
from pipelines.forecasts.members.bootstrap import StationaryBootstrap
from pipelines.forecasts.members.garch import FilteredHistoricalSimulation
from pipelines.forecasts.members.member import FitError, Member, Parameters
from pipelines.forecasts.members.random_walk import RandomWalk
from pipelines.forecasts.paths import drawdown_probabilities, rank_mapped
from pipelines.forecasts.quantiles import LEVELS, FloatArray, normal_quantiles, quantiles_at
from pipelines.forecasts.record import horizon_record, risk_backtests, source_of
from pipelines.forecasts.settings import HORIZONS, LONGEST, PERCENTILES, ForecastSettings

SETTINGS = ForecastSettings(refit=63, evaluated=300, paths=200)


class NeverFits(FilteredHistoricalSimulation):
    """A model that has no fit anywhere."""

    def fit(self, log_values: FloatArray) -> Parameters:
        """Refuse."""
        message = f"no fit to {len(log_values)} values"
        raise FitError(message)


MEMBERS: tuple[Member, ...] = (RandomWalk(), StationaryBootstrap(), NeverFits())


def simulated(sessions: int = 700, seed: int = 1) -> FloatArray:
    """Return log values of a random walk."""
    return np.cumsum(0.0003 + 0.01 * np.random.default_rng(seed).standard_normal(sessions))


def draws(name: str, fitted: int) -> np.random.Generator:
    """Return the generator of a model under a fit."""
    return np.random.default_rng([len(name), fitted])


def evaluated(log_values: FloatArray, known: Evaluations | None = None) -> Evaluations:
    """Return evaluations through the curve's end."""
    if known is None:
        known = empty_evaluations(MEMBERS, len(log_values), SETTINGS.evaluated)
    return evaluate(MEMBERS, log_values, known, fits=Fits(), settings=SETTINGS, draws=draws)


def extended(known: Evaluations, length: int) -> Evaluations:
    """Return evaluations laid out for a longer curve, as a later night does."""
    more = length - 1 - known.first - len(known.outcomes)
    return replace(
        known,
        outcomes=np.pad(known.outcomes, ((0, more), (0, 0)), constant_values=np.nan),
        figures=np.pad(known.figures, ((0, more), (0, 0), (0, 0), (0, 0)), constant_values=np.nan),
    )


def tonight(log_values: FloatArray, evaluations: Evaluations, source: str = POOL) -> Distribution:
    """Return tonight's forecast."""
    return forecast(
        MEMBERS,
        log_values,
        evaluations,
        source=source,
        fits=Fits(),
        settings=SETTINGS,
        draws=draws,
    )


def test_nights_one_by_one_are_worth_the_same_as_all_at_once() -> None:
    """A record that depended on when it was made could not be replayed."""
    values = simulated()
    step_by_step = evaluated(values[:690])
    for length in range(691, 701):
        step_by_step = evaluated(values[:length], extended(step_by_step, length))
    first = empty_evaluations(MEMBERS, 690, SETTINGS.evaluated)
    at_once = evaluated(values, extended(first, 700))
    assert np.array_equal(step_by_step.figures, at_once.figures, equal_nan=True)
    assert np.array_equal(step_by_step.outcomes, at_once.outcomes, equal_nan=True)


def test_the_future_moves_nothing_that_was_known() -> None:
    """Proof by mutation, from the curve to the fan: other values after tonight, the same night."""
    values = simulated()
    changed = values.copy()
    changed[600:] += np.cumsum(0.05 * np.random.default_rng(7).standard_normal(100))
    laid_out = extended(empty_evaluations(MEMBERS, 600, SETTINGS.evaluated), 700)
    made, other = evaluated(values, laid_out), evaluated(changed, laid_out)
    for at, horizon in enumerate(HORIZONS):
        matured = 600 - horizon - made.first
        assert np.array_equal(
            made.figures[:matured, at], other.figures[:matured, at], equal_nan=True
        )
        assert not np.array_equal(
            made.figures[matured, at], other.figures[matured, at], equal_nan=True
        )
    through = evaluated(values[:600])
    known = through.figures[:, 0], made.figures[: len(through.figures), 0]
    assert np.array_equal(*known, equal_nan=True), "a curve that ends there makes the same"


def test_a_model_without_a_fit_leaves_the_rest_alone() -> None:
    """One that does not converge must not take the portfolio's forecast with it."""
    evaluations = evaluated(simulated())
    assert np.isnan(evaluations.of("crps", horizon=1, model="garch_fhs")).all()
    assert np.isfinite(evaluations.of("crps", horizon=1, model=PUBLISHED)[:-1]).all()


def test_the_fan_rises_never_crosses_and_its_paths_agree() -> None:
    """Probability of a drawdown and the fan would otherwise tell two stories."""
    values = simulated()
    made = tonight(values, evaluated(values))
    fan = quantiles_at(made.quantiles, np.array(PERCENTILES) / 100)
    assert (np.diff(fan, axis=1) > 0).all()
    assert (np.diff(made.quantiles, axis=1) >= 0).all()
    assert made.paths.shape == (LONGEST, SETTINGS.paths)
    for step in (0, 20):
        assert np.median(made.paths[step]) == pytest.approx(fan[step, 4], abs=2e-3)
    probabilities = drawdown_probabilities(made.paths)
    assert 1 > probabilities[0.05] > probabilities[0.10] >= probabilities[0.20] >= 0


def test_ranks_are_kept_and_marginals_replaced() -> None:
    """A path that is high must stay high: the way is the model's, the values are calibrated."""
    rng = np.random.default_rng(1)
    paths = rng.standard_normal((3, 99))
    quantiles = normal_quantiles(np.zeros(3), np.array([1.0, 2.0, 3.0]))
    made = rank_mapped(paths, quantiles)
    assert np.array_equal(np.argsort(made, axis=1), np.argsort(paths, axis=1))
    assert made[2].std() == pytest.approx(3 * made[0].std())


def test_a_drawdown_counts_from_the_highest_value() -> None:
    """A fall after a rise is a drawdown, though the start is never undercut."""
    paths = np.log(np.array([[1.2, 0.99], [1.05, 1.3], [1.3, 1.29]]))
    assert drawdown_probabilities(paths) == {0.05: 0.5, 0.10: 0.5, 0.20: 0.0}


def _spoilt(evaluations: Evaluations, breaches: int) -> Evaluations:
    """Return evaluations in which what was published was breached so often in the last year."""
    figures = evaluations.figures.copy()
    known = np.flatnonzero(np.isfinite(figures[:, 0, -1, 1]))[-250:]
    figures[known, 0, -1, 1] = 0.5
    figures[known[:: 250 // max(breaches, 1)][:breaches], 0, -1, 1] = 0.001
    return replace(evaluations, figures=figures)


def test_a_red_light_switches_to_the_model_whose_exceptions_fit_best() -> None:
    """Ten exceptions in a year are a broken model by the Basel Committee's own table."""
    values = simulated()
    evaluations = evaluated(values)
    assert source_of(_spoilt(evaluations, 4)) == (POOL, Light.GREEN)
    assert source_of(_spoilt(evaluations, 9)) == (POOL, Light.YELLOW)
    source, light = source_of(_spoilt(evaluations, 10))
    assert light is Light.RED
    assert source in ("random_walk", "stationary_bootstrap")
    alone = tonight(values, evaluations, source)
    assert alone.weights[:, [member.name for member in MEMBERS].index(source)].tolist() == [1] * 4


def test_the_record_tells_coverage_with_its_interval_and_risk() -> None:
    """These figures stand in every document."""
    values = simulated()
    evaluations = evaluated(values)
    record = horizon_record(evaluations, 21)
    assert record is not None
    assert record.coverage.origins == 252
    assert 12 <= record.coverage.effective < 60
    assert record.coverage.low < record.coverage.share <= record.coverage.high
    shape = tonight(values, evaluations).quantiles[0]
    tests = risk_backtests(evaluations, shape, np.random.default_rng(1))
    assert [one.confidence for one in tests] == [0.95, 0.99]
    assert all(one.sessions == 250 for one in tests)
    assert risk_backtests(evaluated(values[:400]), shape, np.random.default_rng(1)) == ()
    assert horizon_record(evaluated(values[:253]), 21) is None


def _curve(values: FloatArray) -> EquityCurve:
    """Return a curve on consecutive days."""
    return EquityCurve([date(2020, 1, 1) + timedelta(days=at) for at in range(len(values))], values)


def _with(place: int, value: float) -> Callable[[FloatArray], FloatArray]:
    """Return what puts a value into a curve."""

    def put(values: FloatArray) -> FloatArray:
        spoilt = values.copy()
        spoilt[place] = value
        return spoilt

    return put


@pytest.mark.parametrize(
    ("spoil", "reason", "words"),
    [
        (lambda values: values[:30], "short_history", "30 sessions, 252 are needed"),
        (lambda values: np.full_like(values, 100.0), "constant_series", "did not move"),
        (_with(5, np.nan), "gap_in_curve", "2020-01-06"),
        (_with(7, 0.0), "value_not_positive", "2020-01-08"),
        (_with(9, -3.0), "value_not_positive", "-3.0"),
    ],
    ids=["short", "constant", "gap", "zero", "negative"],
)
def test_an_unfit_curve_is_refused_with_its_reason(
    spoil: Callable[[FloatArray], FloatArray], reason: str, words: str
) -> None:
    """A fan around such a curve would look like any other."""
    with pytest.raises(UnfitCurveError, match=words) as refused:
        require_forecastable(_curve(spoil(np.exp(simulated(400)))))
    assert refused.value.reason == reason


def test_a_usual_curve_is_accepted_and_cut_at_a_session() -> None:
    """What lies after a session must not be in the curve that its night sees."""
    curve = _curve(np.exp(simulated(400)))
    require_forecastable(curve)
    assert len(curve.through(curve.sessions[299])) == 300
    assert len(LEVELS) == 39
