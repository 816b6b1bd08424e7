"""The model, and what anyone could do without it: hold, follow, oppose, or toss a coin.

A baseline sees of a session's rows what the model sees: prices up to its close.

- buy and hold: every symbol, always.
- momentum: the return of the year before the last month (Jegadeesh & Titman, Returns to buying
  winners and selling losers, 1993).
- mean reversion: minus the return of the last week (Lehmann, Fads, martingales and market
  efficiency, 1990).
- coin: a fair one, tossed for each symbol and session by a hash, so that no toss depends on others.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.signals.scoring import Recommendation
from pipelines.validation.logistic import FloatArray

MONTH, YEAR, WEEK, QUARTER = 21, 252, 5, 63
"""Sessions."""
COIN_SEED = "nightdesk coin 1"


class Contender(StrEnum):
    """Who gives an opinion on a row."""

    MODEL = "model"
    BUY_AND_HOLD = "buy_and_hold"
    MOMENTUM = "momentum"
    MEAN_REVERSION = "mean_reversion"
    COIN = "coin"


BASELINES: Mapping[Contender, str] = {
    Contender.BUY_AND_HOLD: "Every symbol is bought and held; every session is called a rise.",
    Contender.MOMENTUM: "Rises where the year before the last month rose, falls where it fell.",
    Contender.MEAN_REVERSION: "Rises where the last week fell, falls where it rose.",
    Contender.COIN: "A fair coin for each symbol and session.",
}
"""The baselines and their rules in words."""

CONTEXT_QUERY = f"""
    WITH bars AS (
        SELECT symbol, session, total_return_index AS value, close * volume AS dollars,
               abs(total_return_index / lag(total_return_index) OVER line - 1) AS moved
        FROM clean_prices WHERE session < $session
        WINDOW line AS (PARTITION BY symbol ORDER BY session)
    )
    SELECT symbol, session,
           lag(value, {MONTH}) OVER line / lag(value, {YEAR}) OVER line - 1 AS momentum,
           value / lag(value, {WEEK}) OVER line - 1 AS past_week,
           avg(dollars) OVER quarter AS dollar_volume,
           avg(moved / nullif(dollars, 0)) OVER quarter AS illiquidity,
           sector
    FROM bars LEFT JOIN (SELECT symbol, sector FROM company_overviews) USING (symbol)
    WINDOW line AS (PARTITION BY symbol ORDER BY session),
           quarter AS (PARTITION BY symbol ORDER BY session
                       ROWS BETWEEN {QUARTER - 1} PRECEDING AND CURRENT ROW)
    ORDER BY session, symbol
"""
"""SQL for what baselines and groups need of each bar before `$session`; windows look back only.

momentum and past_week are returns (fractions), null in a short history; dollar_volume is in dollars
a session and illiquidity the absolute return for a dollar of volume (Amihud, Illiquidity and stock
returns, 2002), both means of a quarter. sector is what the vendor says now.
"""

JUDGED_BY_ALL = ("momentum", "past_week")
"""Columns that a row must have, so that all contenders are held against one another on the same."""


@dataclass(frozen=True, eq=False)
class Opinions:
    """What a contender says of rows, in their order.

    `score` ranks them, larger for a likelier rise; `is_up` calls the direction; `position` is what
    is held: 1 long, -1 short, 0 in cash.
    """

    score: FloatArray
    is_up: NDArray[np.bool_]
    position: FloatArray


def opinions(rows: pl.DataFrame) -> dict[Contender, Opinions]:
    """Return what each contender says of replayed rows that have the columns of JUDGED_BY_ALL.

    The model calls a rise where its probability is above the base rate, and holds what its
    recommendation says.
    """
    probability = rows["probability"].to_numpy()
    always = np.ones(rows.height)
    return {
        Contender.MODEL: Opinions(
            probability, probability > rows["base_rate"].to_numpy(), _positions(rows)
        ),
        Contender.BUY_AND_HOLD: Opinions(always, always > 0, always),
        Contender.MOMENTUM: _by_sign(rows["momentum"].to_numpy()),
        Contender.MEAN_REVERSION: _by_sign(-rows["past_week"].to_numpy()),
        Contender.COIN: _by_sign(_tosses(rows)),
    }


def _by_sign(score: FloatArray) -> Opinions:
    """Return the opinions of a score whose sign is the direction."""
    return Opinions(score, score > 0, np.sign(score))


def _positions(rows: pl.DataFrame) -> FloatArray:
    """Return what the model's recommendations hold."""
    held = {
        Recommendation.STRONG_BUY.value: 1.0,
        Recommendation.BUY.value: 1.0,
        Recommendation.HOLD.value: 0.0,
        Recommendation.SELL.value: -1.0,
        Recommendation.STRONG_SELL.value: -1.0,
    }
    return np.array([held[one] for one in rows["recommendation"]], dtype=np.float64)


def _tosses(rows: pl.DataFrame) -> FloatArray:
    """Return a number in (-0.5, 0.5) for each row, by its symbol and session alone."""
    return np.array(
        [_toss(f"{symbol} {session}") for symbol, session in rows["symbol", "session"].iter_rows()]
    )


def _toss(name: str) -> float:
    digest = hashlib.sha256(f"{COIN_SEED} {name}".encode()).digest()
    return (int.from_bytes(digest[:8]) + 0.5) / 2**64 - 0.5
