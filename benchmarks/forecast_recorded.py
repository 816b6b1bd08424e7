"""Recorded portfolios: the sample market's symbols, alone and in equal parts, and two indexes."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.forecast_trials import (
    NORMAL_BAND,
    PROPHET_ALONE,
    evaluated,
    figures_of,
    normal_band,
    prophet_alone,
)
from pipelines.forecasts.equity import MarketPanel, equity_curve
from pipelines.forecasts.evaluation import PUBLISHED, Evaluations
from pipelines.forecasts.portfolios import Portfolio, Source, equal_weights
from pipelines.forecasts.quantiles import FloatArray
from pipelines.forecasts.settings import HORIZONS, LONGEST, ForecastSettings
from pipelines.markets.sample import load_sample_market
from pipelines.markets.sample_indexes import load_sample_indexes
from pipelines.prices.total_return import chain_total_returns

FEWEST_ORIGINS = 20
BURN_IN = 504
PROPHET_ORIGINS = 15
"""Of each portfolio, spread evenly: Prophet is fitted afresh at each."""


@dataclass(frozen=True, eq=False)
class RecordedResult:
    """What came of one portfolio at one horizon; `paired`: our scores where Prophet was asked."""

    name: str
    horizon: int
    hits: FloatArray
    scores: dict[str, FloatArray]
    paired: FloatArray


def recorded_results() -> Iterator[RecordedResult]:
    """Judge every recorded portfolio at every horizon, at origins that far apart."""
    settings = ForecastSettings()
    for name, log_values in recorded_curves().items():
        evaluations = evaluated(log_values, settings)
        last = len(evaluations.outcomes) - LONGEST
        if last <= BURN_IN:
            continue
        asked = np.linspace(BURN_IN, last - 1, PROPHET_ORIGINS).astype(np.intp)
        rng = np.random.default_rng(1)
        prophet = prophet_alone(log_values, evaluations.first + asked, settings, rng)
        paired = figures_of(evaluations, PUBLISHED, "crps")[asked]
        for at, horizon in enumerate(HORIZONS):
            rows = np.arange(BURN_IN, last, horizon)
            if len(rows) < FEWEST_ORIGINS:
                continue
            scores = _scores(evaluations, rows, at)
            band = normal_band(log_values, evaluations.first + rows, settings)
            scores |= {NORMAL_BAND: band[:, at], PROPHET_ALONE: prophet[:, at]}
            hits = figures_of(evaluations, PUBLISHED, "hit")[rows, at]
            yield RecordedResult(name, horizon, hits, scores, paired[:, at])


def _scores(evaluations: Evaluations, rows: NDArray[np.intp], at: int) -> dict[str, FloatArray]:
    """Return each model's scores at some origins and one horizon."""
    return {model: figures_of(evaluations, model, "crps")[rows, at] for model in evaluations.models}


def recorded_curves() -> dict[str, FloatArray]:
    """Return log values of the sample's symbols, of all in equal parts, and of its indexes."""
    bars = load_sample_market().bars.with_columns(
        is_clean=True,
        is_seed=False,
        seed_split_factor=1.0,
        seed_units=1.0,
        known_at=pl.col("session").cast(pl.Datetime("us", "UTC")),
    )
    panel = MarketPanel.of(chain_total_returns(bars))
    curves = {
        symbols[0] if len(symbols) == 1 else "all in equal parts": equity_curve(
            Portfolio("", "", Source.UNIVERSE, equal_weights(symbols), is_equal=True), panel
        ).log_values
        for symbols in ([*panel.symbols], *([symbol] for symbol in panel.symbols))
    }
    indexes = load_sample_indexes().sort("symbol", "session").partition_by("symbol", as_dict=True)
    return curves | {str(key[0]): np.log(rows["close"].to_numpy()) for key, rows in indexes.items()}
