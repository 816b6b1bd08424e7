"""When the panel's detectors are fitted, and on which sessions.

A fit is for one period: a calendar year, in the first two years of a market a quarter. It uses bars
before the period alone: the last year of them calibrates, the three years before that are fitted
on. It is made once, by the first night that needs it, and never again: a bar's score on its own
night must be had again years later.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

CALIBRATION_SESSIONS = 252
"""A year: a calm quarter alone would make the next storm a night of alerts."""
FIT_SESSIONS = 756
FEWEST_SESSIONS = 126
"""Half of them fit and half calibrate while a symbol's past is short."""
FIT_ROWS = 10_000
"""Sampled. 20,000 took twice as long and gave the same share of alerts on simulated bars."""
CALIBRATION_ROWS_A_SYMBOL = 20
"""At a level of 0.1, one bar among m is found alone where its p-value is 0.1 / m: that takes ten
calibration bars for each symbol."""
FEWEST_CALIBRATION_ROWS = 10_000
MOST_CALIBRATION_ROWS = 200_000
FEWEST_ROWS = 500
"""With fewer, the least p-value there can be would be above 1 in 500."""


@dataclass(frozen=True)
class FitWindow:
    """The sessions of one fit; each range includes both ends."""

    applies_from: date
    fitted_from: date
    fitted_through: date
    calibrated_from: date
    calibrated_through: date


def quarter_start(day: date) -> date:
    """Return the first day of a day's calendar quarter."""
    return day.replace(month=3 * ((day.month - 1) // 3) + 1, day=1)


def period_start(day: date, *, first: date) -> date:
    """Return the first day of the period whose fit judges a day.

    Fits for every quarter took three times as long at a first load and gave the same p-values, in
    every regime of simulated markets and from 2002 to 2013.

    Args:
        day: The day.
        first: The first day that the market has a bar of.
    """
    is_young = day.year <= first.year + 1
    return quarter_start(day) if is_young else day.replace(month=1, day=1)


def fit_window(sessions: Sequence[date], *, first: date, period: date) -> FitWindow | None:
    """Return the sessions that the fit of a period uses; None while there are too few.

    Args:
        sessions: The exchange's sessions, in order, into the period.
        first: First session that has a profile.
        period: First day of the period.
    """
    end = bisect_left(sessions, period)
    past = sessions[
        max(bisect_left(sessions, first), end - FIT_SESSIONS - CALIBRATION_SESSIONS) : end
    ]
    if len(past) < FEWEST_SESSIONS or end == len(sessions):
        return None
    cut = len(past) - min(CALIBRATION_SESSIONS, len(past) // 2)
    return FitWindow(sessions[end], past[0], past[cut - 1], past[cut], past[-1])


def calibration_rows(symbols: int) -> int:
    """Return how many bars should calibrate a panel of so many symbols."""
    wanted = max(CALIBRATION_ROWS_A_SYMBOL * symbols, FEWEST_CALIBRATION_ROWS)
    return min(wanted, MOST_CALIBRATION_ROWS)
