"""Markets for the regimes' benchmark: simulated ones with known states, and recorded indexes."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from pipelines.markets.simulation.indexes import index_frame
from pipelines.markets.simulation.market_path import REGIME_STATES, MarketPath, draw_market_path
from pipelines.markets.simulation.settings import SimulationSettings
from pipelines.markets.simulation.symbols import index_seed, market_seed
from pipelines.regimes.fits import RegimeFit
from pipelines.regimes.history import market_history
from pipelines.regimes.model import FloatArray
from pipelines.regimes.names import SESSIONS_PER_YEAR, Regime
from pipelines.regimes.queries import market_series
from pipelines.regimes.series import MarketSeries
from pipelines.regimes.settings import RegimeSettings
from pipelines.regimes.walk import walk_forward

NO_SYMBOLS = pl.DataFrame(
    schema={"symbol": pl.String, "session": pl.Date, "log_return": pl.Float64}
)
NO_UNIVERSE = pl.DataFrame(
    schema={"session": pl.Date, "simple_return": pl.Float64, "range": pl.Float64}
)


@dataclass(frozen=True)
class StateKind:
    """A hidden state: its name, drift and volatility a year, and its mean length in sessions."""

    name: Regime
    drift: float
    volatility: float
    mean_sessions: float


SIMULATED = tuple(
    StateKind(
        Regime(state.name),
        state.drift * SESSIONS_PER_YEAR,
        state.volatility * SESSIONS_PER_YEAR**0.5,
        state.mean_sessions,
    )
    for state in REGIME_STATES
)
"""The four states of the simulated market: volatilities half as large again as the next one's."""

APART = (
    StateKind(Regime.BULLISH, 0.25, 0.08, 120),
    StateKind(Regime.BEARISH, -0.45, 0.18, 90),
    StateKind(Regime.VOLATILE, 0.0, 0.40, 60),
)
"""Three states that ten years can tell apart: volatilities twice the next one's, and a drift in the
middle one that is below zero by more than its error."""


@dataclass(frozen=True, eq=False)
class KnownMarket:
    """A market whose hidden states are known.

    Attributes:
        kinds: The states.
        series: The market as the desk sees it.
        states: Ordinal of the true state of each session.
    """

    kinds: tuple[StateKind, ...]
    series: list[MarketSeries]
    states: np.ndarray[tuple[int], np.dtype[np.int64]]

    @property
    def transition(self) -> FloatArray:
        """From each state to each state; all others are equally likely to follow one."""
        others = len(self.kinds) - 1
        leave = np.array([1.0 / kind.mean_sessions for kind in self.kinds])
        matrix = np.tile(leave[:, None] / max(1, others), (1, others + 1))
        np.fill_diagonal(matrix, 1.0 - leave if others else 1.0)
        return matrix


def simulated_market(sessions: int, *, seed: int) -> KnownMarket:
    """Return the index of the simulated market, as the desk is sent it, and its states."""
    settings = SimulationSettings(symbols=1, sessions=sessions, seed=seed)
    path = draw_market_path(sessions, seed=market_seed(seed))
    return KnownMarket(SIMULATED, _series(path, settings), path.state)


def switching_market(kinds: tuple[StateKind, ...], sessions: int, *, seed: int) -> KnownMarket:
    """Return a market of normal returns that switches between some states (Hamilton, 1989)."""
    rng = np.random.default_rng(seed)
    shell = KnownMarket(kinds, [], np.zeros(sessions, dtype=np.int64))
    states, bounds = shell.states, shell.transition.cumsum(axis=1)
    for session, draw in enumerate(rng.random(sessions - 1), start=1):
        states[session] = min(np.searchsorted(bounds[states[session - 1]], draw), len(kinds) - 1)
    shock = rng.standard_normal(sessions)
    drift = np.array([kind.drift for kind in kinds])[states] / SESSIONS_PER_YEAR
    volatility = np.array([kind.volatility for kind in kinds])[states] / SESSIONS_PER_YEAR**0.5
    days = SimulationSettings(sessions=sessions).days
    index = pl.DataFrame(
        {
            "symbol": "SPX",
            "session": pl.Series(days, dtype=pl.Date),
            "close": np.exp((drift + volatility * shock).cumsum()),
        }
    ).with_columns(high=pl.lit(None, dtype=pl.Float64), low=pl.lit(None, dtype=pl.Float64))
    return KnownMarket(kinds, market_series(days, index, NO_UNIVERSE), states)


def recorded_market() -> list[MarketSeries]:
    """Return the S&P 500 with the Nasdaq and the VIX beside it, 1999 to 2018, out of arch."""
    import arch.data.nasdaq
    import arch.data.sp500
    import arch.data.vix

    vix = arch.data.vix.load().dropna().rename(columns={"vix": "Close"})
    tables = {
        "SPX": arch.data.sp500.load(),
        "COMP": arch.data.nasdaq.load(),
        "VIX": vix.assign(High=vix["Close"], Low=vix["Close"]),
    }
    index = pl.concat(
        pl.DataFrame(
            {
                "symbol": symbol,
                "session": [day.date() for day in table.index],
                **{name.lower(): table[name].to_numpy() for name in ("High", "Low", "Close")},
            }
        )
        for symbol, table in tables.items()
    )
    sessions = index.filter(pl.col("symbol") == "SPX")["session"].to_list()
    return market_series(sessions, index, NO_UNIVERSE)


def walked(
    series: list[MarketSeries], settings: RegimeSettings
) -> tuple[dict[date, RegimeFit], pl.DataFrame]:
    """Return the fits of a market's life, and its regimes, each session by a fit of its time."""
    made = walk_forward(series, NO_SYMBOLS, known=[], settings=settings, progress=lambda _: None)
    fits = {fit.applies_from: fit for fit in made}
    return fits, market_history(fits, series, settings)


def _series(path: MarketPath, settings: SimulationSettings) -> list[MarketSeries]:
    """Return what the desk sees of a simulated path."""
    index = index_frame(path, settings, seed=index_seed(settings.seed))
    return market_series(settings.days, index, NO_UNIVERSE)
