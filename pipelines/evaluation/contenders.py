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

PRICES_QUERY = """
    SELECT symbol, session, total_return_index, close, volume, sector
    FROM clean_prices
    LEFT JOIN (SELECT symbol, sector FROM company_overviews) USING (symbol)
    WHERE session < $session
    ORDER BY symbol, session
"""
"""SQL for what `context` is made of: every bar before `$session`, with the sector of today."""

JUDGED_BY_ALL = ("momentum", "past_week")
"""Columns that a row must have, so that all contenders are held against one another on the same."""


def context(prices: pl.DataFrame) -> pl.DataFrame:
    """Return what baselines and groups need of each bar: symbol, session and what follows.

    momentum and past_week are returns (fractions), null in a short history. dollar_volume is in
    dollars a session and illiquidity the absolute return for a dollar of volume (Amihud,
    Illiquidity and stock returns, 2002), both means of at most a quarter, made here and not in SQL:
    the last digit of DuckDB's window means depends on rows to come. sector is passed on.

    Args:
        prices: Rows of PRICES_QUERY, by symbol and session.
    """
    value, dollars = pl.col("total_return_index"), pl.col("close") * pl.col("volume")
    moved = (value / value.shift(1) - 1).abs()
    columns = {
        "momentum": value.shift(MONTH) / value.shift(YEAR) - 1,
        "past_week": value / value.shift(WEEK) - 1,
        "dollar_volume": dollars.rolling_mean(QUARTER, min_samples=1),
        "illiquidity": pl.when(dollars > 0)
        .then(moved / dollars)
        .rolling_mean(QUARTER, min_samples=1),
    }
    return prices.select(
        "symbol",
        "session",
        *(expression.over("symbol").alias(name) for name, expression in columns.items()),
        "sector",
    )


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
