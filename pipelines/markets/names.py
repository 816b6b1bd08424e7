"""The markets that data can come from, by name."""

from datetime import date
from enum import StrEnum


class MarketName(StrEnum):
    """Where data comes from; the value of NIGHTDESK_MARKET."""

    SAMPLE = "sample"
    SIMULATED = "simulated"
    ALPHA_VANTAGE = "alpha_vantage"


FIRST_SESSION = {
    MarketName.SAMPLE: date(2000, 3, 1),
    MarketName.SIMULATED: date(2000, 1, 3),
    MarketName.ALPHA_VANTAGE: date(2000, 1, 3),
}
"""First session that a night can be run for."""

RECORDED_MARKETS = frozenset({MarketName.SAMPLE, MarketName.SIMULATED})
"""Markets whose every bar is already there. A live market goes on."""

LAST_SAMPLE_SESSION = date(2013, 3, 1)
"""Where the sample market ends; the simulated one ends after as many sessions as one asks for."""
