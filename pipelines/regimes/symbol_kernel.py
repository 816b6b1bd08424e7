"""The forward pass of many symbols, compiled: states, scale and label of each, session by session.

Everything at a session is made of returns up to it; the scale and the prediction, of returns before
it. Nothing but the result is allocated, so 10,000 symbols cost no more memory than their returns.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

TAIL = 4.0
"""Degrees of freedom of a symbol's return in a state: one earnings day is no change of regime. With
four the density needs a root and no logarithm."""


@njit(cache=True, nogil=True)
def symbol_states(
    returns: FloatArray,
    market_returns: FloatArray,
    market_posterior: FloatArray,
    moments: FloatArray,
    transition: FloatArray,
    scaling: FloatArray,
    blending: FloatArray,
    posterior: FloatArray,
    log_scores: FloatArray,
) -> None:
    """Write each symbol's filtered states, and the log score of each return.

    Args:
        returns: Log returns, NaN where there is none (symbols × sessions).
        market_returns: The market's (sessions).
        market_posterior: Its filtered states (sessions × K).
        moments: Mean and deviation of the market's return in each state (2 × K).
        transition: From each state to each state (K × K).
        scaling: Typical ratio of a symbol's moves to the market's, mean absolute return of the
            market, sessions that the typical ratio counts for, decay of a session's weight.
        blending: Least weight of the market's states, sessions that they count for.
        posterior: Written (symbols × sessions × K).
        log_scores: Written, NaN where there is no return (symbols × sessions).
    """
    before, chance = np.empty(len(transition)), np.empty(len(transition))
    decay = scaling[3]
    for symbol in range(len(returns)):
        own, market = scaling[0] * scaling[1] * scaling[2], scaling[1] * scaling[2]
        seen = 0.0
        before[:] = market_posterior[0]
        for session in range(returns.shape[1]):
            weight = max(blending[0], blending[1] / (blending[1] + seen))
            _foretell(before, transition, market_posterior[session], weight, chance)
            value = returns[symbol, session]
            log_scores[symbol, session] = np.nan
            if np.isfinite(value):
                log_scores[symbol, session] = _see(value, own / market, moments, chance)
                if np.isfinite(market_returns[session]):
                    own = decay * own + abs(value)
                    market = decay * market + abs(market_returns[session])
                seen += 1.0
            before[:] = chance
            posterior[symbol, session] = chance


@njit(cache=True, nogil=True)
def _foretell(
    before: FloatArray,
    transition: FloatArray,
    market: FloatArray,
    weight: float,
    chance: FloatArray,
) -> None:
    """Write the chances of the states before a return is seen: a blend with the market's."""
    for state in range(len(chance)):
        stayed = 0.0
        for origin in range(len(before)):
            stayed += before[origin] * transition[origin, state]
        chance[state] = (1.0 - weight) * stayed + weight * market[state]


@njit(cache=True, nogil=True)
def _see(value: float, ratio: float, moments: FloatArray, chance: FloatArray) -> float:
    """Update the chances by a return, and give the log density that was foretold of it."""
    total = 0.0
    for state in range(len(chance)):
        width = ratio * moments[1, state] * ((TAIL - 2.0) / TAIL) ** 0.5
        distance = (value - ratio * moments[0, state]) / width
        inner = 1.0 + distance * distance / TAIL
        # Student's t with four degrees of freedom; its constant is 3/8.
        chance[state] *= 0.375 / (width * inner * inner * np.sqrt(inner))
        total += chance[state]
    for state in range(len(chance)):
        chance[state] /= total
    return float(np.log(total))
