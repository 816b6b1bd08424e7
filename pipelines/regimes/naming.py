"""What a state is called: by the moments of the market's return in it, and by what it was called.

The rule, for a state's drift and volatility a year. Its reward is drift over volatility, as if
three more years had been seen with the reward that stock markets have at its volatility: of a state
that was seen for three years the drift is known to within 0.6 volatilities, the volatility to
within a thirtieth.

| name | rule | a state that had the name keeps it while |
| --- | --- | --- |
| volatile | volatility ≥ 28 %, reward > −1 | volatility ≥ 25 % |
| bearish | reward ≤ −0.2; where it is volatile, ≤ −1 | reward ≤ 0; ≤ −1 |
| bullish | reward ≥ 0.6 | reward ≥ 0.4 |
| sideways | all else | |

After a refit, states are matched to the previous fit's by the sessions that both account for, so
that a name moves only where the rule no longer allows it; that is a renaming, and told.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.regimes.model import FloatArray, RegimeModel
from pipelines.regimes.names import NAMES, SESSIONS_PER_YEAR, Regime

VOLATILE_FROM, VOLATILE_WHILE = 0.28, 0.25
BEARISH_FROM, BEARISH_WHILE = -0.2, 0.0
BULLISH_FROM, BULLISH_WHILE = 0.6, 0.4
BEARISH_THOUGH_VOLATILE = -1.0

USUAL_REWARD, USUAL_VOLATILITY = 0.4, 0.15
"""Drift over volatility of the S&P 500 since 1926, about, and its usual volatility."""
REWARD_LOST = 2.0
"""By how much the reward falls where the volatility is 2.7 times as high: calm markets pay for
their risk, wild ones do not (Black, 1976; Guidolin and Timmermann, 2007; Moreira and Muir, 2017).
"""
LEAST_REWARD, MOST_REWARD = -0.5, 1.5
YEARS_BELIEVED = 3.0
"""What the usual reward counts for beside what was seen."""


@dataclass(frozen=True)
class Moments:
    """The market's return in a state, a year, as fractions, and for how many years it was seen."""

    drift: float
    volatility: float
    years: float

    @property
    def reward(self) -> float:
        """Drift in units of volatility, the nearer to the usual one the shorter it was seen."""
        fallen = REWARD_LOST * math.log(self.volatility / USUAL_VOLATILITY)
        usual = min(max(USUAL_REWARD - fallen, LEAST_REWARD), MOST_REWARD)
        seen = self.drift / self.volatility
        return (seen * self.years + usual * YEARS_BELIEVED) / (self.years + YEARS_BELIEVED)


@dataclass(frozen=True)
class Renaming:
    """A state that a refit made something else."""

    state: int
    before: Regime
    after: Regime


@dataclass(frozen=True)
class Naming:
    """Names of a model's states, the previous states they were matched to, and what was renamed."""

    names: tuple[Regime, ...]
    matches: tuple[int | None, ...]
    renamings: tuple[Renaming, ...]


def state_moments(model: RegimeModel) -> list[Moments]:
    """Return the moments of each state; the drift is that of simple returns."""
    volatility = model.market_std * SESSIONS_PER_YEAR**0.5
    drift = model.market_mean * SESSIONS_PER_YEAR + volatility**2 / 2
    years = model.weights / SESSIONS_PER_YEAR
    return [
        Moments(float(one), float(two), float(three))
        for one, two, three in zip(drift, volatility, years, strict=True)
    ]


def rule_name(moments: Moments, *, before: Regime | None = None) -> Regime:
    """Return what the rule calls a state; a name that it had `before` is given up later."""
    volatile = VOLATILE_WHILE if before is Regime.VOLATILE else VOLATILE_FROM
    bearish = BEARISH_WHILE if before is Regime.BEARISH else BEARISH_FROM
    bullish = BULLISH_WHILE if before is Regime.BULLISH else BULLISH_FROM
    if moments.volatility >= volatile:
        is_down = moments.reward <= BEARISH_THOUGH_VOLATILE
        return Regime.BEARISH if is_down else Regime.VOLATILE
    if moments.reward <= bearish:
        return Regime.BEARISH
    return Regime.BULLISH if moments.reward >= bullish else Regime.SIDEWAYS


def name_states(
    model: RegimeModel,
    *,
    former: Sequence[Regime] = (),
    shared: FloatArray | None = None,
) -> Naming:
    """Name the states of a model.

    Args:
        model: The new fit.
        former: Names of the previous fit's states; none for the first fit.
        shared: Sessions that a state of the new fit (row) and one of the previous (column) both
            account for, by their filtered probabilities.
    """
    matches: list[int | None] = [None] * model.states
    if shared is not None:
        from scipy.optimize import linear_sum_assignment

        for new, old in zip(*linear_sum_assignment(-shared), strict=True):
            matches[int(new)] = int(old)
    befores = [None if match is None else former[match] for match in matches]
    names = tuple(
        rule_name(moments, before=before)
        for moments, before in zip(state_moments(model), befores, strict=True)
    )
    renamings = tuple(
        Renaming(state, before, after)
        for state, (before, after) in enumerate(zip(befores, names, strict=True))
        if before is not None and before is not after
    )
    return Naming(names, tuple(matches), renamings)


def name_matrix(names: Sequence[Regime]) -> FloatArray:
    """Return the matrix that sums probabilities of states to those of names (states × 4)."""
    return np.array([[float(name is one) for one in NAMES] for name in names])
