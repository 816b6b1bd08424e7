"""A market of ten years whose planted signal fades, flips and returns, as a panel of features.

One feature carries the planted part and four are noise; all are autoregressive within a symbol, so
that trading on them has a turnover like that of a real panel. Symbols of a session share a shock.
The truth is a sign by session: 1 as it began, 0 while the signal is gone, -1 turned round.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import polars as pl
from scipy.special import ndtri

from pipelines.validation.logistic import FloatArray, expit

FEATURES = ("planted", "noise_1", "noise_2", "noise_3", "noise_4")
WEEK = 5
HISTORY = 100
"""Weeks before the first night, in which the signal holds."""
PERSISTENCE = 0.9
COMMON = 0.2
"""Share of a symbol's variance that is the session's: as in `benchmarks.promotion`."""
VOLATILITY = 0.018
"""Of a symbol's session: the middle of the simulated market's."""
CHANGES = (("fade", 0), ("return", 1), ("flip", -1), ("fade", 0), ("return", -1), ("flip", 1))
"""What happens in the ten years, in order, and the sign after it."""


@dataclass(frozen=True)
class Change:
    """A change of the market: its kind and the first night that can have seen a label of it."""

    kind: str
    session: int
    sign: int


@dataclass(frozen=True, eq=False)
class FadingMarket:
    """`panel` by session and symbol, equally many rows a session; `changes` in order."""

    panel: pl.DataFrame
    changes: tuple[Change, ...]
    symbols: int

    def between(self, first: int, last: int) -> pl.DataFrame:
        """Return the rows of sessions by ordinal, `last` left out."""
        first = max(first, 0)
        return self.panel.slice(first * self.symbols, (last - first) * self.symbols)


def fading_market(*, symbols: int, weeks: int, strength: float, seed: int) -> FadingMarket:
    """Draw a market; equal arguments give equal rows."""
    rng = np.random.default_rng([seed, symbols, weeks])
    sessions = WEEK * (HISTORY + weeks)
    changes = _changes(weeks, rng)
    sign = np.ones(sessions)
    for one in changes:
        sign[one.session :] = one.sign
    features = np.stack([_autoregressive(sessions, symbols, rng) for _ in FEATURES])
    shock = COMMON**0.5 * rng.standard_normal((sessions, 1))
    own = (1 - COMMON) ** 0.5 * rng.standard_normal((sessions, symbols))
    chance = expit(strength * sign[:, None] * features[0])
    returns = VOLATILITY * (ndtri(chance) + shock + own)
    return FadingMarket(_panel(features, returns), changes, symbols)


def _changes(weeks: int, rng: np.random.Generator) -> tuple[Change, ...]:
    """Place the changes at even distances, each moved by up to a fifth of one."""
    distance = weeks / (len(CHANGES) + 1)
    moved = np.arange(1, len(CHANGES) + 1) + rng.uniform(-0.2, 0.2, len(CHANGES))
    session = WEEK * HISTORY + (WEEK * distance * moved).astype(int)
    return tuple(
        Change(kind, int(start), sign) for (kind, sign), start in zip(CHANGES, session, strict=True)
    )


def _autoregressive(sessions: int, symbols: int, rng: np.random.Generator) -> FloatArray:
    """Return a series of unit variance for each symbol (sessions × symbols)."""
    values = rng.standard_normal((sessions, symbols))
    values[1:] *= (1 - PERSISTENCE**2) ** 0.5
    for before, now in pairwise(range(sessions)):
        values[now] += PERSISTENCE * values[before]
    return values


def _panel(features: FloatArray, returns: FloatArray) -> pl.DataFrame:
    """Return features and labels, which end in the session after; opens are closes here."""
    sessions, symbols = returns.shape
    days = pl.Series([date(2010, 1, 1) + timedelta(days=one) for one in range(sessions + 2)])
    ordinal = np.repeat(np.arange(sessions), symbols)
    return pl.DataFrame(
        {
            "symbol": np.tile([f"S{one:03}" for one in range(symbols)], sessions),
            "session": days.gather(ordinal),
            "label_end": days.gather(ordinal + 1),
            "next_session_return": returns.ravel(),
            "is_up": returns.ravel() > 0,
            "exit_session": days.gather(ordinal + 2),
            "next_open_return": returns.ravel(),
            **{
                name: features[number].ravel().astype(np.float32)
                for number, name in enumerate(FEATURES)
            },
        }
    )
