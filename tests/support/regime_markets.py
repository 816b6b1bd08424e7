"""Small markets and fits for tests of regimes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl

from pipelines.calendar import ExchangeCalendar
from pipelines.nights import Night, Origin
from pipelines.regimes.fits import RegimeFit
from pipelines.regimes.model import FloatArray, RegimeModel, long_run
from pipelines.regimes.names import Regime
from pipelines.regimes.naming import Naming
from pipelines.regimes.queries import market_series
from pipelines.regimes.selection import Standing
from pipelines.regimes.series import MarketSeries
from pipelines.regimes.settings import (
    BASELINE,
    RETURN_ONLY,
    SMOOTHED,
    Candidate,
    Family,
    RegimeSettings,
)
from pipelines.regimes.symbols import SymbolLevel
from pipelines.regimes.walk import walk_forward
from pipelines.regimes.windows import FitWindow, fit_windows

CALENDAR = ExchangeCalendar.of("XNYS")
DAYS = CALENDAR.sessions(date(2003, 1, 2), date(2006, 12, 29))
TWO_STATES = Candidate(Family.HIDDEN_MARKOV, 2, RETURN_ONLY)
SETTINGS = replace(
    RegimeSettings(),
    candidates=(BASELINE, TWO_STATES, Candidate(Family.KMEANS, 3, SMOOTHED)),
    warm_up_sessions=60,
)
TRANSITION = np.array([[0.99, 0.01], [0.03, 0.97]])
CALM, WILD = (0.0008, 0.006), (-0.0005, 0.022)
"""Mean and deviation of the market's log return in each state."""


def market_returns(sessions: int, *, seed: int = 1) -> tuple[FloatArray, FloatArray]:
    """Return log returns of a market of two states, and the states."""
    rng = np.random.default_rng(seed)
    states = np.zeros(sessions, dtype=np.int64)
    for session, draw in enumerate(rng.random(sessions - 1), start=1):
        leaves = TRANSITION[states[session - 1], 1 - states[session - 1]]
        states[session] = states[session - 1] ^ int(draw < leaves)
    mean, std = np.array([CALM, WILD]).T
    return mean[states] + std[states] * rng.standard_normal(sessions), states


def index_bars(returns: Sequence[float] | FloatArray, days: Sequence[date] = DAYS) -> pl.DataFrame:
    """Return the bars of an index that makes these returns; its range follows their size."""
    close = np.exp(np.cumsum(returns)) * 100.0
    spread = np.exp(np.abs(returns) + 0.002)
    return pl.DataFrame(
        {
            "symbol": "SPX",
            "session": pl.Series(days[: len(close)], dtype=pl.Date),
            "high": close * spread,
            "low": close / spread,
            "close": close,
        }
    )


def no_universe() -> pl.DataFrame:
    """Return the means over no symbol."""
    return pl.DataFrame(
        schema={"session": pl.Date, "simple_return": pl.Float64, "range": pl.Float64}
    )


def series_of(index: pl.DataFrame, universe: pl.DataFrame | None = None) -> list[MarketSeries]:
    """Return what may stand for the market over the bars' sessions."""
    days = index["session"].unique().sort().to_list() or (
        universe["session"].to_list() if universe is not None else []
    )
    return market_series(days, index, no_universe() if universe is None else universe)


def symbol_returns(days: Sequence[date], *, symbols: int = 3, seed: int = 2) -> pl.DataFrame:
    """Return log returns of symbols; the last one is listed half-way."""
    rng = np.random.default_rng(seed)
    frames = []
    for number in range(symbols):
        shown = days[len(days) // 2 :] if number == symbols - 1 else days
        frames.append(
            pl.DataFrame(
                {
                    "symbol": f"S{number}",
                    "session": pl.Series(shown, dtype=pl.Date),
                    "log_return": 0.015 * rng.standard_normal(len(shown)),
                }
            )
        )
    return pl.concat(frames)


def fits_of(
    series: list[MarketSeries], returns: pl.DataFrame, settings: RegimeSettings = SETTINGS
) -> dict[date, RegimeFit]:
    """Return all fits of a market's life."""
    made = walk_forward(series, returns, known=[], settings=settings, progress=lambda _: None)
    return {fit.applies_from: fit for fit in made}


def a_model(
    *,
    means: Sequence[float] = (CALM[0], WILD[0]),
    stds: Sequence[float] = (CALM[1], WILD[1]),
    weights: Sequence[float] = (1500.0, 500.0),
) -> RegimeModel:
    """Return a model of returns alone with given moments."""
    mean, std = np.array(means), np.array(stds)
    states = len(mean)
    transition = TRANSITION if states == 2 else np.full((states, states), 1.0 / states)
    return RegimeModel(
        candidate=Candidate(Family.HIDDEN_MARKOV, states, RETURN_ONLY),
        fitted_from=DAYS[0],
        fitted_through=DAYS[99],
        center=np.zeros(1),
        scale=np.ones(1),
        projection=np.eye(1),
        means=mean[:, None],
        covariances=(std**2)[:, None, None],
        start=long_run(transition),
        transition=transition,
        market_mean=mean,
        market_std=std,
        weights=np.array(weights),
    )


def a_fit(applies_from: date = DAYS[100], **changes: object) -> RegimeFit:
    """Return a fit of two states, the calm one bullish and the wild one volatile."""
    model = a_model()
    standing = Standing(model.candidate.name, 3.1, 0.0, 0.0, 4.0, 0.9)
    return replace(
        RegimeFit(
            applies_from=applies_from,
            recipe=SETTINGS.recipe,
            series="S&P 500",
            model=model,
            naming=Naming((Regime.BULLISH, Regime.VOLATILE), (None, None), ()),
            level=SymbolLevel(ratio=1.5, market_move=0.008, blend=0.1, log_scores={}),
            held_out={},
            ranked=(standing, replace(standing, name=BASELINE.name, score=2.9)),
            refused={},
        ),
        **changes,  # type: ignore[arg-type]
    )


def nights_of(days: Sequence[date], *, origin: Origin = Origin.LIVE) -> list[Night]:
    """Return nights, each seen when its bars became final."""
    return [Night("sample", day, CALENDAR.known_at(day), origin) for day in days]


def window_of(
    days: Sequence[date], fits: Mapping[date, RegimeFit], *, settings: RegimeSettings = SETTINGS
) -> FitWindow:
    """Return the window of some nights that one fit tells of."""
    (window,) = fit_windows(nights_of(days), fits, DAYS, settings)
    return window
