"""What regimes cost: each model's fit, and the forward pass over very many symbols."""

import resource
from collections.abc import Callable
from time import perf_counter, process_time

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.regime_markets import recorded_market
from pipelines.calendar import ExchangeCalendar
from pipelines.nights import Night, Origin
from pipelines.regimes.fits import RegimeFit
from pipelines.regimes.fitting import fit_candidate
from pipelines.regimes.model import FloatArray
from pipelines.regimes.names import MARKET
from pipelines.regimes.naming import name_states
from pipelines.regimes.rows import trace_rows
from pipelines.regimes.series import MarketSeries
from pipelines.regimes.settings import CANDIDATES, RETURN_ONLY, Candidate, Family, RegimeSettings
from pipelines.regimes.states import UnusableFitError
from pipelines.regimes.symbols import SymbolLevel
from pipelines.regimes.traces import market_trace, symbol_traces
from pipelines.regimes.windows import FitWindow, fit_windows

SETTINGS = RegimeSettings()
FIT_SESSIONS = 2520
YEARS = 20
SESSIONS_A_YEAR = 252
MEGABYTES_A_GIGABYTE = 1024
KILOBYTES_A_MEGABYTE = 1024


def print_model_costs() -> None:
    """Print the time of one fit of each candidate on ten years, from nothing."""
    panel = recorded_market()[0].panel[-FIT_SESSIONS:]
    print(f"\ncost of a fit on {FIT_SESSIONS} sessions, one thread")
    with threadpool_limits(limits=1):
        for candidate in CANDIDATES:
            started = process_time()
            try:
                fit_candidate(panel, candidate, settings=SETTINGS)
                words = f"{process_time() - started:.2f} s"
            except UnusableFitError as error:
                words = f"no fit: {error}"
            print(f"  {candidate.name:96} {words}")


def print_symbol_costs(symbols: int) -> None:
    """Print what one new session and twenty years of many symbols take, from returns in memory."""
    fit, series = _fit()
    rng = np.random.default_rng(1)
    width = SETTINGS.warm_up_sessions + SESSIONS_A_YEAR
    returns = 0.02 * rng.standard_normal((symbols, width))
    names = [f"S{number:05d}" for number in range(symbols)]
    last = series.sessions[-1]
    night = Night("simulated", last, ExchangeCalendar.of("XNYS").known_at(last), Origin.LIVE)
    (window,) = fit_windows([night], {fit.applies_from: fit}, series.sessions, SETTINGS)
    returns = returns[:, -len(window.sessions) :]
    _told(window, series, names[:1], returns[:1])  # compiles
    print(f"\n{symbols:,} symbols, two threads, from returns in memory")
    _timed("one new session, rows and metrics", lambda: _told(window, series, names, returns))
    _timed(
        f"{YEARS} years of filtered states and labels, a warm-up for each year's fit",
        lambda: _years(window, series, names, returns),
    )


def _fit() -> tuple[RegimeFit, MarketSeries]:
    """Return a fit of four states that is a year old."""
    series = recorded_market()[0]
    end = len(series.sessions) - SESSIONS_A_YEAR
    candidate = Candidate(Family.HIDDEN_MARKOV, 4, RETURN_ONLY)
    with threadpool_limits(limits=1):
        model = fit_candidate(
            series.panel[end - FIT_SESSIONS : end], candidate, settings=SETTINGS
        ).model
    fit = RegimeFit(
        applies_from=series.sessions[end],
        recipe=SETTINGS.recipe,
        series=series.name,
        model=model,
        naming=name_states(model),
        level=SymbolLevel(ratio=1.5, market_move=0.008, blend=0.1, log_scores={}),
        held_out={},
        ranked=(),
        refused={},
    )
    return fit, series


def _told(window: FitWindow, series: MarketSeries, names: list[str], returns: FloatArray) -> None:
    """Make the rows of a night, as the desk does."""
    market = market_trace(MARKET, window.fit, [series], window.sessions, SETTINGS)
    for trace in symbol_traces(window.fit, market, names, returns):
        for _ in trace_rows(trace, window, SETTINGS):
            pass


def _years(window: FitWindow, series: MarketSeries, names: list[str], returns: FloatArray) -> None:
    """Filter and label as many years, each with its fit's warm-up."""
    market = market_trace(MARKET, window.fit, [series], window.sessions, SETTINGS)
    for _ in range(YEARS):
        for trace in symbol_traces(window.fit, market, names, returns):
            trace.labels(window.fit, SETTINGS)


def _timed(words: str, work: Callable[[], None]) -> None:
    """Print what a piece of work takes, and the process's peak memory so far."""
    started, used = perf_counter(), process_time()
    work()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KILOBYTES_A_MEGABYTE
    print(
        f"  {words:76} {perf_counter() - started:6.1f} s ({process_time() - used:.1f} s of "
        f"processor), peak {peak / MEGABYTES_A_GIGABYTE:.1f} GB"
    )
