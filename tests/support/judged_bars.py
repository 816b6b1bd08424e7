"""Calm bars with one thing wrong, and what the rules say of them."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from pipelines.anomalies.judging import judge_history
from pipelines.calendar import ExchangeCalendar
from pipelines.markets.recorded import BAR_SCHEMA, with_adjusted_close

CALENDAR = ExchangeCalendar.of("XNYS")
SESSIONS = CALENDAR.sessions(date(2012, 1, 3), date(2012, 12, 31))
AT = 90
"""The row that something is wrong with."""
PRICES = ("open", "high", "low", "close")


def calm_bars(
    symbol: str = "IBM", *, rows: int = 140, seed: int = 1, price: float = 80.0
) -> pl.DataFrame:
    """Return bars that move by 1 % a session, with a volume of about two million."""
    rng = np.random.default_rng(seed)
    close = price * np.exp(np.cumsum(rng.normal(0, 0.01, rows)))
    start = close * np.exp(rng.normal(0, 0.004, rows))
    frame = pl.DataFrame(
        {
            "symbol": [symbol] * rows,
            "session": SESSIONS[:rows],
            "open": start,
            "high": np.maximum(start, close) * (1 + np.abs(rng.normal(0, 0.004, rows))),
            "low": np.minimum(start, close) * (1 - np.abs(rng.normal(0, 0.004, rows))),
            "close": close,
            "volume": (2e6 * np.exp(rng.normal(0, 0.25, rows))).astype(int),
            "adjusted_close": close,
            "dividend_amount": 0.0,
            "split_coefficient": 1.0,
        },
        schema=BAR_SCHEMA,
    )
    return with_adjusted_close(frame.with_columns(pl.col(PRICES).round(2)))


def changed(bars: pl.DataFrame, rows: Sequence[int], **values: Any) -> pl.DataFrame:
    """Return bars with other values in some rows; expressions may read the row's old ones."""
    inside = pl.int_range(pl.len()).is_in(list(rows))
    return bars.with_columns(
        pl.when(inside).then(value).otherwise(name).cast(BAR_SCHEMA[name]).alias(name)
        for name, value in values.items()
    )


def scaled(bars: pl.DataFrame, rows: Sequence[int], factor: float) -> pl.DataFrame:
    """Return bars with the prices of some rows multiplied."""
    return changed(bars, rows, **{name: pl.col(name) * factor for name in PRICES})


def found(bars: pl.DataFrame) -> list[tuple[str, str, int]]:
    """Return what is found: kind, severity and the row's place among the sessions."""
    judged = judge_history(bars)
    return [
        (row["anomaly_type"], row["severity"], SESSIONS.index(row["session"]))
        for row in judged.sort("session", "anomaly_type").iter_rows(named=True)
    ]


def withheld_rows(bars: pl.DataFrame) -> list[int]:
    """Return the places of the sessions whose bars are withheld."""
    judged = judge_history(bars).filter("is_withheld")
    return sorted({SESSIONS.index(session) for session in judged["session"]})
