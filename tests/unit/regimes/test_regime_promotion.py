"""A year's new fit takes the reigning one's place by evidence, and canaries find what is broken."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from pipelines.lifecycle.evidence import Canary, CanaryName
from pipelines.lifecycle.promotion import Verdict
from pipelines.regimes.canaries import regime_canaries
from pipelines.regimes.fits import RegimeFit
from pipelines.regimes.market_filter import FilteredMarket, filter_market
from pipelines.regimes.model import RegimeModel
from pipelines.regimes.naming import name_states
from pipelines.regimes.promotion import (
    Contender,
    HeldOutComparison,
    RegimeDecision,
    compare_fits,
    decide,
)
from tests.support.regime_markets import (
    DAYS,
    SETTINGS,
    a_fit,
    a_model,
    index_bars,
    market_returns,
    series_of,
)

SESSIONS = 600
RETURNS, _ = market_returns(SESSIONS)
(SERIES, _) = series_of(index_bars(RETURNS))
PANEL = SERIES.panel[1:SESSIONS]
FIRST = 200
GOOD = a_model()
POOR = a_model(means=(0.0, 0.0), stds=(0.02, 0.06))
PASSED = (Canary(CanaryName.REPEAT, passed=True, note="alike"),)


def seen(model: RegimeModel, panel: pl.DataFrame = PANEL) -> FilteredMarket:
    """Return what a model makes of a market."""
    return filter_market(model, name_states(model).names, panel, SETTINGS)


def compared(champion: RegimeModel, challenger: RegimeModel) -> HeldOutComparison:
    """Return a challenger beside a champion on the last 399 sessions."""
    pair = (Contender(model, seen(model), FIRST) for model in (champion, challenger))
    return compare_fits(*pair, PANEL["market_return"].to_numpy()[FIRST:])


def test_who_foretells_better_is_promoted_and_who_foretells_worse_is_not() -> None:
    """The true model against one with deviations three times too large: no luck decides that."""
    better = decide(PASSED, compared(POOR, GOOD), champion=DAYS[100])
    worse = decide(PASSED, compared(GOOD, POOR), champion=DAYS[100])
    assert (better.verdict, worse.verdict) == (Verdict.PROMOTED, Verdict.KEPT)
    assert "is_not_worse" in worse.reason
    assert "is_calibrated" in worse.reason


def test_the_same_recipe_is_refreshed_and_the_first_fit_is_taken() -> None:
    """A year-old fit must not stay for want of a difference, nor the desk without a first one."""
    same = decide(PASSED, compared(GOOD, GOOD), champion=DAYS[100])
    assert same.verdict is Verdict.REFRESHED
    assert decide(PASSED, None, champion=None).verdict is Verdict.FIRST
    assert decide(PASSED, None, champion=DAYS[100]).verdict is Verdict.REFRESHED


def test_a_failing_canary_blocks_whatever_was_gained() -> None:
    """The best figures are those of a model that has seen the future."""
    failed = Canary(CanaryName.SHUFFLED_RETURNS, passed=False, note="it knows them")
    made = decide((*PASSED, failed), compared(POOR, GOOD), champion=DAYS[100])
    assert made.verdict is Verdict.BLOCKED
    assert not replace(a_fit(), decision=made).is_promoted


def test_a_fit_that_has_seen_the_sessions_is_not_compared() -> None:
    """A comparison with hindsight would promote whatever is newest."""
    hindsight = replace(GOOD, fitted_through=DAYS[400])
    with pytest.raises(ValueError, match="take sessions after it"):
        compared(hindsight, GOOD)


def test_canaries_pass_an_honest_filter() -> None:
    """A false alarm would keep an old fit for a year."""
    made = regime_canaries(GOOD, PANEL, SETTINGS)
    assert [one.passed for one in made] == [True, True]


def test_canaries_find_a_filter_that_peeks_and_one_that_wavers() -> None:
    """A smoothed state has seen the return that it foretells; threads may waver in last digits."""

    def peeks(model: RegimeModel, panel: pl.DataFrame) -> FilteredMarket:
        honest = seen(model, panel)
        densities = np.exp(model.market_log_densities(panel["market_return"].to_numpy()))
        known = np.log((honest.posterior * densities).sum(axis=1))
        return replace(honest, log_scores=known)

    calls = iter(range(99))

    def wavers(model: RegimeModel, panel: pl.DataFrame) -> FilteredMarket:
        honest = seen(model, panel)
        return replace(honest, posterior=honest.posterior * (1 + 1e-15 * next(calls)))

    shuffled, repeated = regime_canaries(GOOD, PANEL, SETTINGS, scored=peeks)
    assert (shuffled.passed, repeated.passed) == (False, True), shuffled.note
    assert not regime_canaries(GOOD, PANEL, SETTINGS, scored=wavers)[1].passed


def test_a_decision_is_read_back_as_it_was_made() -> None:
    """A fit without its decision would be taken for one from before decisions were made."""
    decision = decide(PASSED, compared(GOOD, POOR), champion=DAYS[100])
    assert RegimeDecision.from_document(decision.to_document()) == decision
    stored = RegimeFit.from_document(replace(a_fit(), decision=decision).to_document())
    assert stored.decision == decision
    assert not stored.is_promoted
