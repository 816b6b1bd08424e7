"""Series through the sessions of a window: their returns, states and what was foretold of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from pipelines.regimes.fits import RegimeFit
from pipelines.regimes.labels import IntArray
from pipelines.regimes.market_filter import filter_market
from pipelines.regimes.model import FloatArray
from pipelines.regimes.names import NAMES
from pipelines.regimes.naming import name_matrix
from pipelines.regimes.series import MarketSeries, best_series
from pipelines.regimes.settings import RegimeSettings
from pipelines.regimes.symbols import MarketPast, filter_symbols

SYMBOLS_AT_ONCE = 1000


@dataclass(frozen=True, eq=False)
class Trace:
    """Some series, one a row.

    Attributes:
        symbols: Their names.
        returns: Log returns, NaN where there is none (rows × sessions).
        posterior: Filtered states (rows × sessions × K); empty without a fit.
        log_scores: Log density foretold of each return (rows × sessions).
    """

    symbols: Sequence[str]
    returns: FloatArray
    posterior: FloatArray
    log_scores: FloatArray

    def labels(
        self, fit: RegimeFit | None, settings: RegimeSettings
    ) -> tuple[FloatArray, IntArray]:
        """Return probabilities of the names and the labels that hold (rows × sessions)."""
        if fit is None:
            return np.zeros((*self.returns.shape, len(NAMES))), np.zeros(
                self.returns.shape, dtype=np.int64
            )
        from pipelines.regimes.filter_kernel import settle

        probabilities = self.posterior @ name_matrix(fit.naming.names)
        labels = np.empty(self.returns.shape, dtype=np.int64)
        for row in range(len(labels)):
            settle(probabilities[row], settings.margin, settings.dwell_sessions, labels[row])
        return probabilities, labels


def market_trace(
    symbol: str,
    fit: RegimeFit | None,
    series: Sequence[MarketSeries],
    sessions: Sequence[date],
    settings: RegimeSettings,
) -> Trace:
    """Return the market's trace over some sessions, by the series that its fit was made of."""
    named = {one.name: one for one in series}
    chosen = named[fit.series] if fit else best_series(series, len(series[0].sessions), settings)
    panel = chosen.panel.filter(pl.col("session").is_in(list(sessions)))
    returns = panel["market_return"].fill_null(np.nan).to_numpy()[None, :]
    if fit is None:
        return Trace(
            [symbol], returns, np.empty((*returns.shape, 0)), np.full_like(returns, np.nan)
        )
    seen = filter_market(fit.model, fit.naming.names, panel, settings)
    return Trace([symbol], returns, seen.posterior[None], seen.log_scores[None])


def symbol_traces(
    fit: RegimeFit | None, market: Trace, symbols: Sequence[str], returns: FloatArray
) -> Iterator[Trace]:
    """Return symbols' traces, some at a time: states of all would not fit into memory."""
    past = MarketPast(market.returns[0], market.posterior[0])
    for first in range(0, len(symbols), SYMBOLS_AT_ONCE):
        part = returns[first : first + SYMBOLS_AT_ONCE]
        if fit is None:
            posterior, scores = np.empty((*part.shape, 0)), np.full_like(part, np.nan)
        else:
            posterior, scores = filter_symbols(fit.model, fit.level, past, part)
        yield Trace(symbols[first : first + SYMBOLS_AT_ONCE], part, posterior, scores)
