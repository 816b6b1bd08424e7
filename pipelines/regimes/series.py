"""What stands for the market: an index where one is known, else the universe itself.

Returns are log returns as fractions, by session.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from pipelines.regimes.model import FloatArray
from pipelines.regimes.settings import RegimeSettings

COVERED = 0.9
"""Share of a fit's sessions in which an index must be known to stand for the market."""
UNIVERSE = "equal weight of the universe"


@dataclass(frozen=True, eq=False)
class MarketSeries:
    """One way to see the market.

    Attributes:
        name: In words, published with each regime.
        panel: Columns of `panel.market_panel`, one row a session.
    """

    name: str
    panel: pl.DataFrame

    @property
    def sessions(self) -> list[date]:
        """The sessions, in order."""
        sessions: list[date] = self.panel["session"].to_list()
        return sessions


def best_series(series: Sequence[MarketSeries], end: int, settings: RegimeSettings) -> MarketSeries:
    """Return the first series that is known well enough in a fit's sessions, else the last."""
    for one in series:
        window = one.panel["market_return"][max(0, end - settings.most_sessions) : end]
        if window.count() >= COVERED * len(window):
            return one
    return series[-1]


def returns_matrix(
    returns: pl.DataFrame, sessions: Sequence[date], *, symbols: Sequence[str]
) -> FloatArray:
    """Return the log returns of symbols (symbols × sessions), NaN where there is none.

    Args:
        returns: symbol, session, log_return.
        sessions: The columns, in order.
        symbols: The rows, in order.
    """
    matrix = np.full((len(symbols), len(sessions)), np.nan)
    columns = pl.DataFrame(
        {"session": pl.Series(sessions, dtype=pl.Date), "column": range(len(sessions))}
    )
    rows = pl.DataFrame({"symbol": pl.Series(symbols, dtype=pl.String), "row": range(len(symbols))})
    placed = returns.join(columns, on="session").join(rows, on="symbol").drop_nulls("log_return")
    matrix[placed["row"].to_numpy(), placed["column"].to_numpy()] = placed["log_return"].to_numpy()
    return matrix
