"""Small training panels with a known truth."""

from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

FEATURES = ("trend", "reversal", "surprise", "chatter", "volume", "noise")


def weekdays(number: int, *, first: date = date(2015, 1, 5)) -> list[date]:
    """Return `number` weekdays from `first` on."""
    days = (first + timedelta(days=offset) for offset in range(2 * number + 7))
    return [day for day in days if day.weekday() < 5][:number]


def panel(
    *,
    strength: float,
    seed: int,
    symbols: int = 40,
    sessions: int = 700,
    horizon: int = 1,
    common: float = 0.0,
) -> pl.DataFrame:
    """Return a panel whose log-odds of rising have a planted part of deviation `strength`.

    The truth is in `true_probability`: a linear part and an interaction of two features. A
    strength of 0.18 gives a best possible AUC of about 0.55, 0 gives noise. Each symbol's first
    20 rows lack `trend`, and every fifth symbol is listed late. Labels end `horizon` sessions on.
    `common` is how much what moves the symbols of a session correlates; each keeps its own chance.
    """
    rng = np.random.default_rng(seed)
    days = weekdays(sessions + horizon)
    rows = [
        (f"S{number:02d}", ordinal)
        for number in range(symbols)
        for ordinal in range(sessions // 4 if number % 5 == 4 else 0, sessions)
    ]
    ordinals = np.array([ordinal for _, ordinal in rows])
    values = rng.standard_normal((len(rows), len(FEATURES))).astype(np.float32)
    planted = 0.8 * values[:, 0] + 0.6 * np.sign(values[:, 1] * values[:, 2])
    probability = 1.0 / (1.0 + np.exp(-(0.08 + strength * planted)))
    is_up = _alike(rng.random(len(rows)), ordinals, correlation=common, seed=seed) < probability
    size = 0.01 * np.abs(rng.standard_normal(len(rows))) + 1e-5
    return (
        pl.DataFrame(
            {
                "symbol": [symbol for symbol, _ in rows],
                "session": [days[ordinal] for ordinal in ordinals],
                "label_end": [days[ordinal + horizon] for ordinal in ordinals],
                "next_session_return": np.where(is_up, size, -size),
                "is_up": is_up,
                "exit_session": [days[ordinal + horizon] for ordinal in ordinals],
                "next_open_return": np.where(is_up, size, -size) / 2,
                "true_probability": probability,
                **{name: values[:, column] for column, name in enumerate(FEATURES)},
            }
        )
        .with_columns(
            pl.when(pl.int_range(pl.len()).over("symbol") >= 20)
            .then(pl.col("trend"))
            .alias("trend")
        )
        .sort("symbol", "session")
    )


def _alike(
    draws: NDArray[np.float64], session: NDArray[np.int64], *, correlation: float, seed: int
) -> NDArray[np.float64]:
    """Return uniform draws that correlate within a session, by a Gaussian copula."""
    if not correlation:
        return draws
    shared = np.random.default_rng([seed, 1]).standard_normal(int(session.max()) + 1)[session]
    return np.asarray(ndtr(correlation**0.5 * shared + (1 - correlation) ** 0.5 * ndtri(draws)))
