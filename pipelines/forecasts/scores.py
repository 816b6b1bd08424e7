"""What a track record may claim: coverage with its interval, and which score beats another."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.forecasts.quantiles import FloatArray

LEVEL = 0.95


@dataclass(frozen=True)
class Coverage:
    """How often outcomes lay within a band.

    Attributes:
        share: Share of outcomes within the band; `low` and `high` are its 95 % interval.
        origins: Outcomes counted.
        effective: Independent outcomes that they are worth, since longer horizons overlap.
    """

    share: float
    low: float
    high: float
    origins: int
    effective: float


@dataclass(frozen=True)
class Comparison:
    """A Diebold–Mariano test: negative statistics say that the first forecast is the better."""

    statistic: float
    p_value: float


def coverage(is_within: NDArray[np.bool_], *, horizon: int) -> Coverage | None:
    """Return the coverage of consecutive origins, with Wilson's interval; None without any."""
    if not is_within.size:
        return None
    effective = effective_number(is_within.astype(np.float64), horizon=horizon)
    share = float(is_within.mean())
    low, high = wilson_interval(share, effective)
    return Coverage(share, low, high, len(is_within), effective)


def effective_number(values: FloatArray, *, horizon: int) -> float:
    """Return how many independent values overlapping ones are worth.

    n over one and twice the sum of the autocorrelations that overlap alone can make (lags below
    the horizon), with Bartlett's weights. At least n / horizon, as if all outcomes were one; at
    most what hits of a band on both sides are worth, whose correlation is the square of the
    outcomes' own: a few misses can't tell it better than that.
    """
    number = len(values)
    around = values - values.mean()
    variance = float(around @ around)
    fewest = max(1.0, number / horizon)
    most = number / (1 + 2 * sum((1 - lag / horizon) ** 2 for lag in range(1, horizon)))
    if variance == 0:
        return fewest
    inflation = 1.0
    for lag in range(1, min(horizon, number)):
        inflation += 2 * (1 - lag / horizon) * float(around[lag:] @ around[:-lag]) / variance
    return float(np.clip(number / max(inflation, 1.0), fewest, max(fewest, most)))


def wilson_interval(share: float, number: float) -> tuple[float, float]:
    """Return Wilson's (1927) 95 % interval of a share."""
    from scipy.special import ndtri

    score = float(ndtri((1 + LEVEL) / 2))
    middle = (share + score**2 / (2 * number)) / (1 + score**2 / number)
    half = score / (1 + score**2 / number)
    half *= float(np.sqrt(share * (1 - share) / number + score**2 / (4 * number**2)))
    return max(0.0, middle - half), min(1.0, middle + half)


def diebold_mariano(first: FloatArray, second: FloatArray, *, horizon: int) -> Comparison | None:
    """Compare the scores of two forecasts at the same origins; None where nothing can be said.

    Diebold and Mariano (1995) with the small-sample correction of Harvey, Leybourne and Newbold
    (1997); Bartlett's weights over the lags below the horizon keep the variance positive.
    """
    from scipy.special import stdtr

    difference = first - second
    number = len(difference)
    if number <= horizon + 1 or np.ptp(difference) == 0:
        return None
    around = difference - difference.mean()
    variance = float(around @ around) / number
    for lag in range(1, horizon):
        variance += 2 * (1 - lag / horizon) * float(around[lag:] @ around[:-lag]) / number
    correction = (number + 1 - 2 * horizon + horizon * (horizon - 1) / number) / number
    statistic = float(difference.mean() / np.sqrt(variance / number) * np.sqrt(correction))
    return Comparison(statistic, float(2 * stdtr(number - 1, -abs(statistic))))
