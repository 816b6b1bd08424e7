"""Symbols of the simulated market: what each is like, and the chance that befalls it.

Every symbol draws from seed sequences of its own, so it is the same whichever symbols are made
beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.markets.simulation.market_path import FloatArray
from pipelines.markets.simulation.settings import SimulationSettings

TAIL_DEGREES = 5.0
"""Degrees of freedom of Student's t, about those of daily returns of shares (Praetz, 1972)."""
LISTED_LATE_SHARE = 0.2
DELISTED_SHARE = 0.12
PAYER_SHARE = 0.6
DIVIDEND_SESSIONS = 63
"""Sessions from one dividend to the next: a quarter."""
NORMAL_DRAWS = ("own", "volume", "overnight", "above", "below")
"""Standard normal draws of a session: own move, volume, gap, and the range over and under."""
_MARKET_KEY, _SYMBOL_KEY, _INDEX_KEY = 0, 1, 2


@dataclass(frozen=True, eq=False)
class SymbolTraits:
    """Arrays over symbols. Prices are in cents, volatilities per session.

    `listed` and `delisted` are the ordinals of the first and of the last session, both traded.
    """

    symbol: list[str]
    beta: FloatArray
    volatility: FloatArray
    first_price: FloatArray
    split_above: FloatArray
    dividend_yield: FloatArray
    dividend_offset: NDArray[np.int64]
    log_volume: FloatArray
    listed: NDArray[np.int64]
    delisted: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Chances:
    """Random draws: `normal` (kind × sessions × symbols) and `tail` (sessions × symbols).

    A tail is a factor of mean 1 that makes a normal move one of Student's t.
    """

    normal: FloatArray
    tail: FloatArray

    def of(self, kind: str) -> FloatArray:
        """Return the standard normal draws of one kind (sessions × symbols)."""
        return np.asarray(self.normal[NORMAL_DRAWS.index(kind)])


def symbol_name(ordinal: int) -> str:
    """Return the name of a symbol, such as S00007."""
    return f"S{ordinal:05d}"


def market_seed(seed: int) -> np.random.SeedSequence:
    """Return the seed sequence of what all symbols share."""
    return np.random.SeedSequence(seed, spawn_key=(_MARKET_KEY,))


def index_seed(seed: int) -> np.random.SeedSequence:
    """Return the seed sequence of what indexes have beside the shared path."""
    return np.random.SeedSequence(seed, spawn_key=(_INDEX_KEY,))


def draw_symbols(
    settings: SimulationSettings, ordinals: Sequence[int]
) -> tuple[SymbolTraits, Chances]:
    """Draw the symbols of some ordinals; more sessions leave the earlier draws as they are."""
    normal = np.empty((len(NORMAL_DRAWS), settings.sessions, len(ordinals)))
    tail = np.empty((settings.sessions, len(ordinals)))
    uniform = np.empty((len(_TRAITS), len(ordinals)))
    for column, ordinal in enumerate(ordinals):
        seed = np.random.SeedSequence(settings.seed, spawn_key=(_SYMBOL_KEY, ordinal))
        for_traits, for_moves, for_tails = (np.random.default_rng(part) for part in seed.spawn(3))
        uniform[:, column] = for_traits.random(len(_TRAITS))
        # Drawn session by session, so that a longer market begins with the shorter one.
        normal[:, :, column] = for_moves.standard_normal((settings.sessions, len(NORMAL_DRAWS))).T
        tail[:, column] = for_tails.standard_gamma(TAIL_DEGREES / 2, settings.sessions)
    names = [symbol_name(ordinal) for ordinal in ordinals]
    traits = _traits(names, dict(zip(_TRAITS, uniform, strict=True)), settings.sessions)
    return traits, Chances(normal, _unit_mean_tails(tail))


def symbol_frame(traits: SymbolTraits, settings: SimulationSettings) -> pl.DataFrame:
    """Return the truth about symbols: beta, own volatility, first and last session.

    `delisted` is null where the symbol still trades in the market's last session.
    """
    days = pl.Series(settings.days, dtype=pl.Date)
    has_ended = traits.delisted < settings.sessions - 1
    return pl.DataFrame(
        {
            "symbol": traits.symbol,
            "beta": traits.beta,
            "volatility": traits.volatility,
            "listed": days.gather(traits.listed),
            "delisted": days.gather(traits.delisted),
        }
    ).with_columns(delisted=pl.when(pl.Series(has_ended)).then("delisted"))


_TRAITS = (
    "beta",
    "volatility",
    "first_price",
    "split_above",
    "payer",
    "dividend_yield",
    "dividend_offset",
    "log_volume",
    "late",
    "listed",
    "ends",
    "delisted",
)
"""One uniform draw each."""


def _traits(names: list[str], uniform: dict[str, FloatArray], sessions: int) -> SymbolTraits:
    """Turn uniform draws into traits."""
    listed, delisted = _lifetimes(uniform, sessions)
    pays = uniform["payer"] < PAYER_SHARE
    split_above = _between(uniform["split_above"], 5_000.0, 30_000.0)
    return SymbolTraits(
        symbol=names,
        beta=0.5 + uniform["beta"],
        volatility=_between(uniform["volatility"], 0.010, 0.026),
        # A symbol begins below the price at which it splits.
        first_price=(split_above * (0.15 + 0.8 * uniform["first_price"])).round(),
        split_above=split_above,
        dividend_yield=np.where(pays, 0.002 + 0.008 * uniform["dividend_yield"], 0.0),
        dividend_offset=(uniform["dividend_offset"] * DIVIDEND_SESSIONS).astype(np.int64),
        log_volume=np.log(_between(uniform["log_volume"], 2e5, 2e7)),
        listed=listed,
        delisted=delisted,
    )


def _between(uniform: FloatArray, low: float, high: float) -> FloatArray:
    """Return values from `low` to `high`, even on a logarithmic scale."""
    return np.asarray(low * (high / low) ** uniform)


def _lifetimes(
    uniform: dict[str, FloatArray], sessions: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first and the last session of each symbol.

    Neither depends on prices: a symbol that vanishes says nothing about the returns before.
    """
    last = sessions - 1
    late = uniform["late"] < LISTED_LATE_SHARE
    listed = np.where(late, 0.6 * last * uniform["listed"], 0.0).astype(np.int64)
    lived = 0.3 + 0.7 * uniform["delisted"]
    ended = (listed + lived * (last - listed)).astype(np.int64)
    return listed, np.where(uniform["ends"] < DELISTED_SHARE, ended, last)


def _unit_mean_tails(gamma: FloatArray) -> FloatArray:
    """Turn Gamma(ν / 2) draws G into G^(-1/2) over its mean Γ((ν - 1) / 2) / Γ(ν / 2)."""
    from scipy.special import gammaln

    mean = np.exp(gammaln((TAIL_DEGREES - 1) / 2) - gammaln(TAIL_DEGREES / 2))
    return np.asarray(1.0 / (np.sqrt(gamma) * mean))
