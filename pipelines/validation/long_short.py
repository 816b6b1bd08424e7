"""What the probabilities would have earned: a long-short portfolio, session by session.

The signal of a session's close is acted on at the next open and held to the open after it. Weights
are the probabilities around the session's mean, scaled to one dollar of long and short together,
so that a market that rises or falls as a whole earns nothing.
"""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.validation.logistic import FloatArray

Ordinals = NDArray[np.integer[Any]]

COST_BASIS_POINTS = 5.0
"""Cost of each dollar traded: about half the spread of a liquid share and its commission."""
SESSIONS_PER_YEAR = 252

# A difference of rounding size is no opinion.
SMALLEST_OPINION = 1e-12

LONG_SHORT_SCHEMA = pl.Schema(
    {
        "session": pl.Date(),
        "gross_return": pl.Float64(),
        "net_return": pl.Float64(),
        "turnover": pl.Float64(),
        "positions": pl.Int64(),
    }
)


def long_short_returns(predictions: pl.DataFrame, *, cost_basis_points: float) -> pl.DataFrame:
    """Return the portfolio of each session: LONG_SHORT_SCHEMA, by session.

    `turnover` is the dollars traded for one dollar of gross exposure, 2 when all is turned round.
    `positions` counts symbols that are held. A row without a known return is not held: its symbol
    has no open in one of the two sessions, or the second is yet to come.

    Args:
        predictions: symbol, session, probability and next_open_return (null where unknown).
        cost_basis_points: paid on each dollar traded.
    """
    held = _held(predictions)
    ordinal = _ordinals(held)
    weight = _weights(held["probability"].cast(pl.Float64).to_numpy(), ordinal)
    return _portfolio(held, weight, ordinal, cost_basis_points=cost_basis_points)


def positioned_returns(positions: pl.DataFrame, *, cost_basis_points: float) -> pl.DataFrame:
    """Return the portfolio of each session that gives every row an equal share of its dollar.

    As `long_short_returns`, with `position` (1 long, -1 short, 0 in cash) in place of probability.
    """
    held = _held(positions)
    ordinal = _ordinals(held)
    rows = np.maximum(np.bincount(ordinal), 1)[ordinal]
    weight = held["position"].cast(pl.Float64).to_numpy() / rows
    return _portfolio(held, weight, ordinal, cost_basis_points=cost_basis_points)


def _held(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows whose return is known, in order."""
    return rows.filter(pl.col("next_open_return").is_not_null()).sort("session", "symbol")


def _ordinals(held: pl.DataFrame) -> Ordinals:
    """Return the number of each row's session, counted from 0."""
    return np.unique(held["session"].to_numpy(), return_inverse=True)[1]


def _portfolio(
    held: pl.DataFrame, weight: FloatArray, ordinal: Ordinals, *, cost_basis_points: float
) -> pl.DataFrame:
    """Return what rows earn by their weights, as LONG_SHORT_SCHEMA."""
    session = np.unique(held["session"].to_numpy())
    returns = held["next_open_return"].cast(pl.Float64).to_numpy()
    # numpy adds in the order of the rows; polars may split a group, and then the last digit moves.
    gross = np.bincount(ordinal, weights=weight * returns, minlength=len(session))
    turnover = _turnover(weight, ordinal, held["symbol"].rank("dense").to_numpy())
    columns = {
        "session": session,
        "gross_return": gross,
        "net_return": gross - turnover * cost_basis_points / 10_000,
        "turnover": turnover,
        "positions": np.bincount(ordinal, weights=weight != 0, minlength=len(session)),
    }
    return pl.DataFrame(columns).select(
        pl.col(name).cast(dtype) for name, dtype in LONG_SHORT_SCHEMA.items()
    )


def _weights(probability: FloatArray, ordinal: Ordinals) -> FloatArray:
    """Return each row's share of its session's dollar, negative if short; 0 without opinions."""
    rows = np.maximum(np.bincount(ordinal), 1)
    tilt = probability - (np.bincount(ordinal, weights=probability) / rows)[ordinal]
    gross = np.bincount(ordinal, weights=np.abs(tilt))[ordinal]
    weight = np.zeros_like(tilt)
    np.divide(tilt, gross, out=weight, where=gross > SMALLEST_OPINION)
    return weight


def _turnover(weight: FloatArray, ordinal: Ordinals, symbol: Ordinals) -> FloatArray:
    """Return what each session trades: bought or sold against the weights of the one before."""
    by_symbol = np.lexsort((ordinal, symbol))
    weight, ordinal, symbol = weight[by_symbol], ordinal[by_symbol], symbol[by_symbol]
    follows = (symbol[1:] == symbol[:-1]) & (ordinal[1:] == ordinal[:-1] + 1)
    before = np.concatenate([[0.0], np.where(follows, weight[:-1], 0.0)])[: len(weight)]
    traded = np.bincount(ordinal, weights=np.abs(weight - before))
    # Held in a session and gone from the next: sold there.
    is_gone = np.concatenate([~follows, [True]])[: len(weight)]
    sold = np.bincount(ordinal[is_gone] + 1, weights=np.abs(weight[is_gone]))
    sold = np.pad(sold, (0, max(0, len(traded) + 1 - len(sold))))
    return np.asarray(traded + sold[: len(traded)])
