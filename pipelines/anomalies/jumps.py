"""What a jump of prices is: a split or unit that nobody told of, or a real move.

Scalar rules on one bar at a time, for the few bars whose price jumped.
"""

from dataclasses import dataclass
from math import exp, log
from typing import Final

from pipelines.anomalies.severity import Severity

SPLITS: Final = (1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0)
UNITS: Final = (10.0, 100.0, 1000.0)
BEYOND_SPLITS = log(8.0) - 0.15
"""From here on no price moves in a session; a unit or a large split is what does."""
SPLIT_TOLERANCE, SMALLEST_SPLIT_TOLERANCE = (0.10, 0.15), (0.06, 0.12)
"""A jump is like a split if it is that near to its ratio in logarithms: at least, and at most where
the symbol moves much. Less is allowed below 3:2, where real moves come near."""
TOLERATED_DEVIATIONS = 4.0
SMALLEST_AFTER_ABSENCE = log(2.0)
"""Sessions that are missing hide the volume and the range of a real move, so after them only larger
splits are believed: BDK was 30 % up on 2009-11-05, five sessions after its last bar, for a bid."""
SMALLEST_ACTION = log(1.2)
"""A smaller split can't be told from a move."""
RETURN_SHARE = 0.5
"""A level is left when the jump back is within that share of it."""
HOME_SHARE = 0.5
"""A jump that ends so near to the median of the last bars goes back, whatever it came from."""
ORDINARY_RANGE = (2.5, 0.3)
"""A range is ordinary up to so many usual ranges, or that share of the jump: a real crash falls
through the session, an unlisted split has happened before it opens."""
ORDINARY_VOLUME = (log(4.0), 4.0)
"""Volume is ordinary up to this factor of the usual or so many deviations. Of the 45 moves beyond
18 % of the 524-symbol year, real ones came with 4 to 85 times the usual volume or three times the
usual range; the unlisted splits (GIS, DHR, ESRX) with 1.3 to 3.3 times, and a usual range."""
CRASH_VOLUME = log(10.0)
MARKET_SHARE = 4.0
"""A market-wide move explains a move of the symbol of up to so many times its size."""
SMALLEST_MARKET_MOVE = 0.04
REAL_MOVE, SMALLEST_MOVE, LARGEST_PAID = 6.0, 0.08, 0.15
"""Deviations and least size of a large move; the share of the price from which on a dividend that
does not show in it withholds the bar."""
STRANGER_JUMP, STRANGER_VOLUME = log(2.0), -log(8.0)


@dataclass(frozen=True)
class Jump:
    """A bar whose price jumped from its reference; logarithms.

    Attributes:
        move: By how much, listed splits and dividends taken into account.
        own_split: Logarithm of the split listed on the bar.
        unpaid: The same without the listed dividend.
        paid: By how much prices should fall for it.
        deviation: Usual size of such a move.
        span: Range of the bar in usual ranges.
        width: Range of the bar.
        volume: Volume over the usual one.
        volume_deviation: Usual size of that.
        market: Move of the market, quantised.
        is_split_repeated: Whether the same split was listed shortly before.
        sessions: Sessions since the reference.
        home: Move from the median of the last 21 bars.
    """

    move: float
    own_split: float
    unpaid: float
    paid: float
    deviation: float
    span: float
    width: float
    volume: float
    volume_deviation: float
    market: float
    is_split_repeated: bool
    sessions: int
    home: float


@dataclass(frozen=True)
class Level:
    """How a bar stands to the symbol's own prices.

    Attributes:
        shift: Logarithm of its level over the true one; 0 where it is right.
        name: The kind of anomaly, or None for nothing remarkable.
        severity: Its severity where it is not the usual.
        explanation: Why it is no fault.
    """

    shift: float
    name: str | None = None
    severity: Severity | None = None
    explanation: str | None = None


def judge_jump(jump: Jump, shift: float) -> Level:
    """Return how a bar stands whose price jumped from a reference that stood at a shift."""
    if shift and abs(jump.move + shift) < RETURN_SHARE * abs(shift):
        return Level(0.0)
    if _is_split_late(jump):
        return Level(0.0, "large_move", None, "prices had gone there before the split was listed")
    contradicted = _contradicted_action(jump)
    if contradicted is not None:
        return Level(contradicted.shift + shift, contradicted.name, contradicted.severity)
    if not shift and abs(jump.home) < HOME_SHARE * abs(jump.move):
        return Level(0.0, "large_move", None, "prices are back where they were")
    factor = _factor_of(jump)
    explanation = _explanation(jump)
    if factor is not None and explanation is None:
        return Level(shift + factor, _name_of(jump, factor))
    if shift:
        return Level(shift)
    is_large = abs(jump.move) >= max(REAL_MOVE * jump.deviation, SMALLEST_MOVE)
    # What the market explained is told of, so that it can be judged again when the market changes.
    if not is_large and factor is None:
        return Level(0.0)
    return _real(jump, explanation)


def _is_split_late(jump: Jump) -> bool:
    """Return whether a split is listed to whose level prices went some bars before.

    Those bars passed for a real move; with the split, prices are where they have long been.
    """
    is_split = abs(jump.own_split) > SMALLEST_ACTION
    return is_split and abs(jump.home) < HOME_SHARE * abs(jump.own_split) < abs(jump.move)


def _contradicted_action(jump: Jump) -> Level | None:
    """Return the fault of a listed split or dividend that prices speak against."""
    without = jump.move - jump.own_split
    if abs(jump.own_split) > SMALLEST_ACTION and abs(without) < min(
        0.5 * abs(jump.own_split), max(REAL_MOVE * jump.deviation, 0.15)
    ):
        if jump.is_split_repeated:
            return Level(0.0, "split_listed_twice")
        return Level(jump.own_split, "split_not_in_prices")
    if jump.paid > max(2 * abs(jump.unpaid), REAL_MOVE * jump.deviation):
        return Level(
            0.0, "dividend_not_in_prices", "high" if jump.paid >= LARGEST_PAID else "medium"
        )
    return None


def _factor_of(jump: Jump) -> float | None:
    """Return the logarithm of the split or unit that the jump is like."""
    sign = 1.0 if jump.move > 0 else -1.0
    size = abs(jump.move)
    nearest = min((log(ratio) for ratio in (*SPLITS, *UNITS)), key=lambda x: abs(x - size))
    is_below_all = nearest < SMALLEST_AFTER_ABSENCE and size < nearest
    least, most = SMALLEST_SPLIT_TOLERANCE if is_below_all else SPLIT_TOLERANCE
    tolerance = min(max(least, TOLERATED_DEVIATIONS * jump.deviation), most)
    is_beyond_drift = size > TOLERATED_DEVIATIONS * jump.deviation
    is_seen = jump.sessions == 1 or (nearest >= SMALLEST_AFTER_ABSENCE and is_beyond_drift)
    if is_seen and abs(nearest - size) <= tolerance:
        return sign * nearest
    return jump.move if size >= BEYOND_SPLITS else None


def _name_of(jump: Jump, factor: float) -> str:
    """Return what a level at a factor is called: volume goes with a split, not with a unit."""
    if abs(factor) > log(10.0) + SPLIT_TOLERANCE[1]:
        return "wrong_unit"
    if abs(factor) < log(10.0) - SPLIT_TOLERANCE[1]:
        return "split_not_applied"
    follows = abs(jump.volume + jump.move) < abs(jump.volume)
    return "split_not_applied" if follows else "wrong_unit"


def _explanation(jump: Jump) -> str | None:
    """Return what makes a jump a real move, or None."""
    same_way = jump.market * jump.move > 0 and abs(jump.market) >= SMALLEST_MARKET_MOVE
    if same_way and abs(jump.move) <= MARKET_SHARE * abs(jump.market):
        return f"the whole market moved by {exp(jump.market) - 1:+.0%}"
    # After a split that nobody listed volume is counted in other shares as well.
    volume = min(jump.volume, jump.volume + jump.move)
    if abs(jump.move) >= BEYOND_SPLITS:
        is_crash = jump.move < 0 and volume >= CRASH_VOLUME and jump.span > ORDINARY_RANGE[0]
        return f"volume was {exp(jump.volume):.1f} times the usual" if is_crash else None
    factor, deviations = ORDINARY_VOLUME
    if volume > max(factor, deviations * jump.volume_deviation):
        return f"volume was {exp(jump.volume):.1f} times the usual"
    spans, share = ORDINARY_RANGE
    if jump.span > spans and jump.width > share * abs(jump.move):
        return f"the session's range was {jump.span:.1f} times the usual"
    return None


def _real(jump: Jump, explanation: str | None) -> Level:
    """Return the level of a large move that is like no split, or explained: it is right."""
    is_stranger = abs(jump.move) > STRANGER_JUMP and jump.volume < STRANGER_VOLUME
    if is_stranger and jump.volume + jump.move < STRANGER_VOLUME:
        return Level(jump.move, "wrong_symbol")
    name = "unexplained_jump" if explanation is None else "large_move"
    return Level(0.0, name, None, explanation)
