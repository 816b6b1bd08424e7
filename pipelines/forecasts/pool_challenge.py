"""A challenger beside the reigning pool, on origins at which both were evaluated.

Evaluations roll: at each origin weights and calibration of either pool come from outcomes that were
known there, so no origin is seen before it is compared. Outcomes of neighbouring origins overlap,
of 21 sessions by 20. The test therefore is Student's t of means over blocks of two horizons
(Ibragimov and Müller 2010). Diebold and Mariano's at a lag of 21 would be passed two to five times
too often: with 252 simulated sessions without a difference, 3.4 % of the time at a level of 1 %,
where blocks make it 1.4 %.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from pipelines.forecasts.evaluation import PUBLISHED, Evaluations
from pipelines.forecasts.quantiles import FloatArray
from pipelines.forecasts.scores import effective_number, wilson_interval
from pipelines.forecasts.settings import HORIZONS, LONGEST

BLOCK = 2 * LONGEST
"""Sessions of a block: means of neighbours then hang together little."""
FEWEST_BLOCKS, MOST_BLOCKS = 3, 12
"""Half a year at least, two years at most."""
BAND = (0.05, 0.95)


@dataclass(frozen=True, eq=False)
class Walk:
    """What two pools were worth on one curve, by its sessions."""

    sessions: Sequence[date]
    champion: Evaluations
    challenger: Evaluations


@dataclass(frozen=True)
class HorizonCoverage:
    """Share of outcomes within 5 to 95 % at a horizon, with its interval; the champion's share."""

    horizon: int
    share: float
    low: float
    high: float
    champion: float

    @property
    def is_calibrated(self) -> bool:
        """Whether it may be 90 %, or is no further off than the champion's."""
        nominal = BAND[1] - BAND[0]
        no_further = abs(self.share - nominal) <= abs(self.champion - nominal)
        return self.low <= nominal <= self.high or no_further

    def __str__(self) -> str:
        """Return it as a checklist tells it."""
        return (
            f"{self.horizon} sessions {self.share:.3f} [{self.low:.3f}, {self.high:.3f}], the "
            f"reigning pool {self.champion:.3f}"
        )


@dataclass(frozen=True)
class PoolComparison:
    """A challenger beside the reigning pool.

    Attributes:
        sessions: Origins compared, one a session.
        portfolios: Curves that they are means over.
        gain: By which share of the champion's CRPS the challenger's is smaller, mean of horizons.
        p_value: Chance of so large a gain if there is none, one-sided.
        coverage: By horizon.
    """

    sessions: int
    portfolios: int
    gain: float
    p_value: float
    coverage: tuple[HorizonCoverage, ...]


def compare_pools(walks: Sequence[Walk]) -> PoolComparison | None:
    """Compare two pools; None where too few origins have matured under both.

    Args:
        walks: Of each portfolio; sessions at which one of them is missing are left out.
    """
    by_session: dict[date, list[FloatArray]] = {}
    for walk in walks:
        for session, row in _compared(walk).items():
            by_session.setdefault(session, []).append(row)
    sessions = sorted(by_session)
    blocks = min(len(sessions) // BLOCK, MOST_BLOCKS)
    if blocks < FEWEST_BLOCKS:
        return None
    means = np.stack([np.mean(by_session[one], axis=0) for one in sessions[-blocks * BLOCK :]])
    gains = means[:, 0]
    return PoolComparison(
        sessions=len(means),
        portfolios=len(walks),
        gain=float(gains.mean()),
        p_value=_p_value(gains.reshape(blocks, BLOCK).mean(axis=1)),
        coverage=_coverage(means[:, 1:]),
    )


def _compared(walk: Walk) -> Mapping[date, FloatArray]:
    """Return by session the gain, then both pools' hits of the band: challenger, champion."""
    champion, challenger = walk.champion, walk.challenger
    first = max(champion.first, challenger.first)
    old, new = (
        one.figures[first - one.first :, :, one.models.index(PUBLISHED), :2]
        for one in (champion, challenger)
    )
    both = np.isfinite(old).all(axis=(1, 2)) & np.isfinite(new).all(axis=(1, 2))
    places = np.flatnonzero(both)[-MOST_BLOCKS * BLOCK :]
    if not places.size:
        return {}
    old, new = old[places], new[places]
    gain = ((old[..., 0] - new[..., 0]) / old[..., 0].mean(axis=0)).mean(axis=1)
    within = [(one[..., 1] >= BAND[0]) & (one[..., 1] <= BAND[1]) for one in (new, old)]
    rows = np.column_stack([gain, *within])
    return {walk.sessions[first + int(place)]: row for place, row in zip(places, rows, strict=True)}


def _p_value(means: FloatArray) -> float:
    """Return the one-sided p-value of blocks' means being above none."""
    from scipy.special import stdtr

    number = len(means)
    error = float(means.std(ddof=1)) / number**0.5
    if error == 0:
        return 0.5
    return float(stdtr(number - 1, -means.mean() / error))


def _coverage(within: FloatArray) -> tuple[HorizonCoverage, ...]:
    """Return the coverage of each horizon of sessions' mean hits."""
    made = []
    for at, horizon in enumerate(HORIZONS):
        own, other = within[:, at], within[:, len(HORIZONS) + at]
        share = float(own.mean())
        low, high = wilson_interval(share, effective_number(own, horizon=horizon))
        made.append(HorizonCoverage(horizon, share, low, high, float(other.mean())))
    return tuple(made)
