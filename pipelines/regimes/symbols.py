"""Regimes of symbols: the market's states, seen in a symbol's own returns and its own scale.

A symbol's states are the market's, with the mean and deviation of its returns scaled by how much it
moves beside the market. Before each of its returns is seen, its states are a blend: where the last
session left them, and where the market is. A young symbol leans on the market nearly whole, an old
one by a weight that foretold returns of the fit's sessions best.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from pipelines.regimes.model import FloatArray, RegimeModel

BLENDS = (0.02, 0.1, 0.25, 0.5, 0.9)
"""Weights of the market to choose from."""
BLEND_SESSIONS = 21.0
"""How many sessions of a symbol's own the market's states count for."""
SCALE_SESSIONS = 63.0
"""How many sessions of a symbol's own the typical scale counts for."""
DECAY = 0.5 ** (1 / 126)
"""A session's weight in the scale halves in half a year."""
TYPICAL_RATIO = 1.5
"""How much a symbol moves beside the market where no symbol is known yet."""
THREADS = 2
SYMBOLS_AT_ONCE = 250


@dataclass(frozen=True)
class SymbolLevel:
    """How symbols of a fit relate to the market.

    Attributes:
        ratio: Typical ratio of a symbol's moves to the market's.
        market_move: Mean absolute return of the market in the fit.
        blend: Weight of the market's states for a symbol of long standing.
        log_scores: Mean log score of symbols' returns by each blend that was tried.
    """

    ratio: float
    market_move: float
    blend: float
    log_scores: Mapping[str, float]

    def to_document(self) -> dict[str, Any]:
        """Return the level as JSON can hold it."""
        return {
            "ratio": self.ratio,
            "market_move": self.market_move,
            "blend": self.blend,
            "log_scores": dict(self.log_scores),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read a level back."""
        return cls(**document)


@dataclass(frozen=True, eq=False)
class MarketPast:
    """Returns of the market and its filtered states, by session."""

    returns: FloatArray
    posterior: FloatArray


def fit_symbol_level(model: RegimeModel, market: MarketPast, returns: FloatArray) -> SymbolLevel:
    """Return how symbols relate to the market, by their returns (symbols × sessions) in a fit."""
    moves, market_moves = np.abs(returns), np.abs(market.returns)
    both = np.isfinite(moves) & np.isfinite(market_moves)
    own = np.where(both, moves, 0.0).sum(axis=1)
    beside = np.where(both, market_moves, 0.0).sum(axis=1)
    ratios = own[own > 0] / beside[own > 0]
    ratio = float(np.median(ratios)) if len(ratios) else TYPICAL_RATIO
    move = float(np.nanmean(market_moves))
    if not len(ratios):
        return SymbolLevel(ratio, move, BLENDS[len(BLENDS) // 2], {})
    scores = {}
    for blend in BLENDS:
        level = SymbolLevel(ratio, move, blend, {})
        _, log_scores = filter_symbols(model, level, market, returns)
        scores[str(blend)] = float(np.nanmean(log_scores))
    return SymbolLevel(ratio, move, max(BLENDS, key=lambda blend: scores[str(blend)]), scores)


def filter_symbols(
    model: RegimeModel, level: SymbolLevel, market: MarketPast, returns: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return filtered states (symbols × sessions × K) and log scores (symbols × sessions).

    Args:
        model: Its states, as the market has them.
        level: How symbols relate to the market.
        market: The market over the same sessions, filtered by the same model.
        returns: Log returns, NaN where there is none (symbols × sessions).
    """
    from pipelines.regimes.symbol_kernel import symbol_states

    posterior = np.empty((*returns.shape, model.states))
    log_scores = np.empty(returns.shape)
    moments = np.vstack([model.market_mean, model.market_std])
    scaling = np.array([level.ratio, level.market_move, SCALE_SESSIONS, DECAY])
    blending = np.array([level.blend, BLEND_SESSIONS])

    def work(first: int) -> None:
        part = slice(first, first + SYMBOLS_AT_ONCE)
        symbol_states(
            np.ascontiguousarray(returns[part], dtype=np.float64),
            market.returns,
            market.posterior,
            moments,
            model.transition,
            scaling,
            blending,
            posterior[part],
            log_scores[part],
        )

    with ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(work, range(0, len(returns), SYMBOLS_AT_ONCE)):
            pass
    return posterior, log_scores
