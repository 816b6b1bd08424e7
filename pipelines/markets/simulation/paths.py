"""Paths of prices and volumes: one session after the other, all symbols of a chunk at once.

The sign of a session's total return is drawn first, with the probability that the truth states,
through a Gaussian copula of common factor and own shock: symbols move together, and each keeps its
own exact chance. The size follows from the same draw, by GARCH(1, 1) volatility (Bollerslev, 1986)
and a factor that makes it Student's t. Prices are whole cents, and rounding never turns a sign: a
return is never zero, so the truth is exact for the prices that a vendor shows.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipelines.markets.simulation.market_path import FloatArray, MarketPath
from pipelines.markets.simulation.planted import SESSIONS_SEEN, VisibleHistory, chance_of_rising
from pipelines.markets.simulation.settings import BASE_RATE
from pipelines.markets.simulation.symbols import DIVIDEND_SESSIONS, Chances, SymbolTraits

ARCH, GARCH = 0.08, 0.90
MEAN_SIZE = (2 / np.pi) ** 0.5
"""Mean absolute value of a standard normal move; the tails' factor has mean 1."""
LARGEST_FALL, LARGEST_RISE = -0.5, 1.0
LARGEST_ASYMMETRY = 0.3
SPLIT_INTO = 2.0
REVERSE_SPLIT_BELOW_CENTS = 300.0
REVERSE_SPLIT_OF = 10.0
VOLUME_MEMORY, VOLUME_NOISE = 0.7, 0.30
VOLUME_PER_LOG_VOLATILITY, VOLUME_PER_MOVE, LARGEST_VOLUME_MOVE = 0.5, 0.15, 4.0


@dataclass(frozen=True, eq=False)
class SymbolPaths:
    """Arrays (sessions × symbols). Prices and dividends are whole cents, as traded.

    `reference` is the close before on today's shares, without today's dividend; `rises` the chance
    that the session after ends higher; a split gives `new_shares` for `old_shares`.
    """

    close: FloatArray
    reference: FloatArray
    dividend: FloatArray
    new_shares: FloatArray
    old_shares: FloatArray
    volume: FloatArray
    volatility: FloatArray
    rises: FloatArray


def walk(
    traits: SymbolTraits, chances: Chances, market: MarketPath, *, strength: float
) -> SymbolPaths:
    """Walk the symbols through all sessions; nothing at a session depends on a later draw."""
    walkers = _Walkers(traits, chances, market, strength)
    shape = chances.tail.shape
    names = SymbolPaths.__dataclass_fields__
    columns = {name: np.empty(shape) for name in names}
    for session in range(shape[0]):
        for name, row in walkers.step(session).items():
            columns[name][session] = row
    return SymbolPaths(**columns)


@dataclass
class _Walkers:
    """Symbols of a chunk as they stand after a session."""

    traits: SymbolTraits
    chances: Chances
    market: MarketPath
    strength: float
    close: FloatArray = field(init=False)
    own_variance: FloatArray = field(init=False)
    activity: FloatArray = field(init=False)
    rises: FloatArray = field(init=False)
    log_index: FloatArray = field(init=False)
    shares: FloatArray = field(init=False)
    history: VisibleHistory = field(init=False)

    def __post_init__(self) -> None:
        """Stand before the first session."""
        number = len(self.traits.symbol)
        self.close = self.traits.first_price.copy()
        self.own_variance = self.traits.volatility**2
        self.activity, self.log_index = np.zeros(number), np.zeros(number)
        self.rises = chance_of_rising(np.zeros(number), strength=0.0)
        self.shares = np.ones(number)
        self.history = VisibleHistory(number)

    def step(self, session: int) -> dict[str, FloatArray]:
        """Move on by one session and return its row of every path."""
        new, old = self._splits()
        dividend = self._dividends(session, is_split=new != old)
        reference = (self.close - dividend) * old / new
        volatility, change, move = self._move(session)
        close = _priced(self.close, change, dividend, new=new, old=old)
        self.log_index = self.log_index + np.log((close * new / old + dividend) / self.close)
        self.close, self.shares = close, self.shares * new / old
        volume = self._volume(session, volatility, move)
        self._see(session, volume)
        return {
            "close": close,
            "reference": reference,
            "dividend": dividend,
            "new_shares": new,
            "old_shares": old,
            "volume": volume,
            "volatility": volatility,
            "rises": self.rises,
        }

    def _splits(self) -> tuple[FloatArray, FloatArray]:
        """Return new and old shares of the splits that the close before led to."""
        new = np.where(self.close > self.traits.split_above, SPLIT_INTO, 1.0)
        return new, np.where(self.close < REVERSE_SPLIT_BELOW_CENTS, REVERSE_SPLIT_OF, 1.0)

    def _dividends(self, session: int, *, is_split: NDArray[np.bool_]) -> FloatArray:
        """Return the dividends of the day, in cents; none on the day of a split."""
        is_due = (session + self.traits.dividend_offset) % DIVIDEND_SESSIONS == 0
        amount = np.rint(self.close * self.traits.dividend_yield)
        return np.where(is_due & ~is_split, amount, 0.0)

    def _move(self, session: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return volatility, total return and the move in deviations; update the volatility."""
        from scipy.special import ndtri

        own = self.chances.of("own")[session]
        common = self.traits.beta * self.market.volatility[session]
        volatility = np.sqrt(common**2 + self.own_variance)
        draw = (common * self.market.shock[session] + np.sqrt(self.own_variance) * own) / volatility
        # P(draw > ndtri(1 - p)) = p: the sign has exactly the stated chance.
        move = (draw + ndtri(self.rises)) * self.chances.tail[session]
        drift = self.traits.beta * self.market.drift[session]
        # The share of the drift that lies in the sizes; (2p - 1) of a mean move lies in the signs.
        asymmetry = np.clip(
            drift / (volatility * MEAN_SIZE) - (2 * BASE_RATE - 1),
            -LARGEST_ASYMMETRY,
            LARGEST_ASYMMETRY,
        )
        change = volatility * move * (1.0 + asymmetry * np.sign(move))
        long_run = self.traits.volatility**2 * (1.0 - ARCH - GARCH)
        self.own_variance = long_run + self.own_variance * (GARCH + ARCH * own**2)
        return volatility, np.clip(change, LARGEST_FALL, LARGEST_RISE), move

    def _volume(self, session: int, volatility: FloatArray, move: FloatArray) -> FloatArray:
        """Return the shares traded: more when the symbol is volatile, and on large moves."""
        noise = VOLUME_NOISE * self.chances.of("volume")[session]
        self.activity = VOLUME_MEMORY * self.activity + noise
        log_volume = (
            self.traits.log_volume
            + self.activity
            + VOLUME_PER_LOG_VOLATILITY * np.log(volatility / self.traits.volatility)
            + VOLUME_PER_MOVE * np.minimum(np.abs(move), LARGEST_VOLUME_MOVE)
        )
        return np.rint(np.exp(log_volume) * self.shares)

    def _see(self, session: int, volume: FloatArray) -> None:
        """Let everyone see the session, and set the chance of the next."""
        self.history.see(session, log_index=self.log_index, volume=volume / self.shares)
        has_history = session - self.traits.listed + 1 >= SESSIONS_SEEN
        score = np.where(has_history, self.history.score(session), 0.0)
        self.rises = chance_of_rising(score, strength=self.strength)


def _priced(
    before: FloatArray,
    change: FloatArray,
    dividend: FloatArray,
    *,
    new: FloatArray,
    old: FloatArray,
) -> FloatArray:
    """Return the close in whole cents that makes the total return, its sign kept.

    The return is (close · new / old + dividend) / before - 1. What rounding would make zero
    becomes the nearest cent on the drawn side.
    """
    close = np.rint((before * (1.0 + change) - dividend) * old / new)
    unchanged = (before - dividend) * old / new
    at_least, at_most = np.floor(unchanged) + 1.0, np.ceil(unchanged) - 1.0
    return np.where(change > 0, np.maximum(close, at_least), np.minimum(close, at_most))
