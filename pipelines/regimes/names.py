"""The four names of a regime, in the order of every array of name probabilities."""

from enum import StrEnum


class Regime(StrEnum):
    """What the backend calls a regime."""

    BULLISH = "bullish"
    BEARISH = "bearish"
    SIDEWAYS = "sideways"
    VOLATILE = "volatile"


NAMES = tuple(Regime)
MARKET = "MARKET"
"""The symbol that the market itself is published under."""
SESSIONS_PER_YEAR = 252
