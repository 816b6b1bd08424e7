"""The markets that data can come from, by name."""

from datetime import date
from enum import StrEnum


class MarketName(StrEnum):
    """Where data comes from; the value of NIGHTDESK_MARKET."""

    SAMPLE = "sample"
    ALPHA_VANTAGE = "alpha_vantage"


FIRST_SESSION = {MarketName.SAMPLE: date(2000, 3, 1), MarketName.ALPHA_VANTAGE: date(2000, 1, 3)}
"""First session that a night can be run for."""

LAST_RECORDED_SESSION = {MarketName.SAMPLE: date(2013, 3, 1)}
"""Where a recorded market ends. A live market has no entry: it goes on."""
