"""Regimes of symbols: leaning on the market while young, on themselves when old, never ahead."""

from dataclasses import replace

import numpy as np
import pytest

from pipelines.regimes.filtering import filtered
from pipelines.regimes.symbols import MarketPast, SymbolLevel, filter_symbols, fit_symbol_level
from tests.support.regime_markets import WILD, a_model, market_returns

MODEL = a_model()
LEVEL = SymbolLevel(ratio=1.5, market_move=0.008, blend=0.02, log_scores={})


def market(sessions: int = 300, *, seed: int = 1) -> MarketPast:
    """Return a market with its filtered states."""
    returns, _ = market_returns(sessions, seed=seed)
    _, posterior = filtered(
        MODEL.log_likelihoods(returns[:, None]), start=MODEL.start, transition=MODEL.transition
    )
    return MarketPast(returns, posterior)


def states(returns: np.ndarray[tuple[int, int], np.dtype[np.float64]], past: MarketPast) -> object:
    """Return the filtered states of symbols."""
    return filter_symbols(MODEL, LEVEL, past, returns)[0]


def test_a_symbol_without_a_return_is_where_the_market_is() -> None:
    """A symbol listed tonight has a regime, the market's."""
    past = market()
    nothing = np.full((1, 300), np.nan)
    posterior, scores = filter_symbols(MODEL, LEVEL, past, nothing)
    # The weight is 1 until a return is seen.
    assert posterior[0] == pytest.approx(past.posterior)
    assert np.isnan(scores).all()


def test_a_young_symbol_leans_on_the_market_more_than_an_old_one() -> None:
    """Two wild days prove little of a symbol that nobody knows."""
    rng = np.random.default_rng(3)
    calm = MarketPast(0.006 * rng.standard_normal(300), np.tile([1.0, 0.0], (300, 1)))
    moves = 0.009 * rng.standard_normal(300)
    moves[-4:] = 0.05
    young = np.where(np.arange(300) < 290, np.nan, moves)
    posterior, _ = filter_symbols(MODEL, LEVEL, calm, np.array([moves, young]))
    old_wild, young_wild = posterior[:, -1, 1]
    assert old_wild > 0.9
    assert young_wild < old_wild


def test_a_symbol_is_judged_on_its_own_scale() -> None:
    """A stock that always moves thrice the market is not in turmoil for it."""
    past = market()
    own = np.array([past.returns, 3.0 * past.returns])
    posterior, _ = filter_symbols(MODEL, replace(LEVEL, ratio=1.0), past, own)
    assert np.abs(posterior[1, 100:] - posterior[0, 100:]).mean() < 0.03


def test_later_returns_change_no_state_of_a_symbol() -> None:
    """Scale, blend and state are made of the past alone."""
    past, rng = market(), np.random.default_rng(4)
    returns = 0.02 * rng.standard_normal((5, 300))
    whole = filter_symbols(MODEL, LEVEL, past, returns)[0]
    other = returns.copy()
    other[:, 200:] = 0.3
    other_market = MarketPast(np.append(past.returns[:200], -past.returns[200:]), past.posterior)
    assert np.array_equal(
        filter_symbols(MODEL, LEVEL, other_market, other)[0][:, :200], whole[:, :200]
    )
    assert not np.array_equal(filter_symbols(MODEL, LEVEL, past, other)[0], whole)


def test_symbols_do_not_depend_on_who_is_beside_them() -> None:
    """They are worked on in batches by two threads."""
    past, rng = market(), np.random.default_rng(5)
    returns = 0.02 * rng.standard_normal((600, 300))
    whole = filter_symbols(MODEL, LEVEL, past, returns)[0]
    for one in (0, 251, 599):
        alone = filter_symbols(MODEL, LEVEL, past, returns[one : one + 1])[0]
        assert np.array_equal(alone[0], whole[one])


@pytest.mark.parametrize("follows", [True, False], ids=["the market", "themselves"])
def test_the_blend_is_what_foretells_returns_best(follows: bool) -> None:
    """Symbols that are in the market's state should lean on it; others should not."""
    past, truth = market(600), market_returns(600)[1]
    rng = np.random.default_rng(6)
    own = [market_returns(600, seed=seed)[1] for seed in range(20, 50)]
    volatility = np.array([MODEL.market_std[truth if follows else one] for one in own])
    level = fit_symbol_level(MODEL, past, 1.5 * volatility * rng.standard_normal((30, 600)))
    assert level.log_scores
    assert (level.blend >= 0.5) == follows
    assert level.ratio == pytest.approx(1.5, rel=0.4)


def test_no_symbol_at_all_is_no_fault() -> None:
    """An index alone must be enough for the market's regime."""
    level = fit_symbol_level(MODEL, market(), np.empty((0, 300)))
    assert (level.ratio, level.log_scores) == (1.5, {})


def test_a_shock_out_of_all_scale_leaves_numbers() -> None:
    """A bad bar that slipped through must not make NaN of a symbol for good."""
    returns = np.full((1, 300), WILD[1])
    returns[0, 100] = 12.0
    posterior, _ = filter_symbols(MODEL, LEVEL, market(), returns)
    assert np.isfinite(posterior).all()
