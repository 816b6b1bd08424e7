"""What forecasts cost in processor time: each model, and a night of many portfolios."""

import numpy as np

from benchmarks.forecast_processes import PROCESSES
from benchmarks.measurement import processor_seconds
from pipelines.forecasts.evaluation import POOL, empty_evaluations, evaluate
from pipelines.forecasts.fits import Fits
from pipelines.forecasts.forecast import forecast
from pipelines.forecasts.members.catalogue import MEMBERS
from pipelines.forecasts.members.member import Question
from pipelines.forecasts.nightly import draws_of
from pipelines.forecasts.settings import LONGEST, ForecastSettings

FITS = 5
SESSIONS = 1200


def print_costs() -> None:
    """Print what one fit and one forecast of each model take."""
    settings = ForecastSettings()
    log_values = np.cumsum(PROCESSES["GARCH"](np.random.default_rng(1), settings.window + 127))
    question = Question(
        log_values, settings.window, [len(log_values) - 1], range(1, LONGEST + 1), settings.paths
    )
    print(f"\n{'processor time, ms':<22} {'fit':>8} {'forecast':>9}")
    for member in MEMBERS:
        parameters = member.fit(log_values[: settings.window])  # the first one imports its library
        started = processor_seconds()
        for _ in range(FITS):
            member.fit(log_values[: settings.window])
        fitted = processor_seconds()
        for _ in range(FITS):
            member.quantiles(parameters, question, np.random.default_rng(1))
        done = processor_seconds()
        fit, evening = 1000 * (fitted - started) / FITS, 1000 * (done - fitted) / FITS
        print(f"{member.name:<22} {fit:>8.1f} {evening:>9.1f}")


def print_night(portfolios: int) -> None:
    """Print what new portfolios and a later night of them take, without lake and MongoDB."""
    settings, first = ForecastSettings(), 0.0
    later: list[float] = []
    for number in range(portfolios):
        values = np.cumsum(PROCESSES["GARCH"](np.random.default_rng(number), SESSIONS))
        draws, fits = draws_of(str(number), settings), Fits()
        started = processor_seconds()
        known = empty_evaluations(MEMBERS, SESSIONS, settings.evaluated)
        made = evaluate(MEMBERS, values[:-1], known, fits=fits, settings=settings, draws=draws)
        first += processor_seconds() - started
        started = processor_seconds()
        made = evaluate(MEMBERS, values, made, fits=fits, settings=settings, draws=draws)
        forecast(MEMBERS, values, made, source=POOL, fits=fits, settings=settings, draws=draws)
        later.append(processor_seconds() - started)
    print(
        f"\n{portfolios:,} portfolios of {SESSIONS:,} sessions, processor time: first load "
        f"{first:.1f} s ({1000 * first / portfolios:.0f} ms each), a later night "
        f"{sum(later):.1f} s "
        f"({1000 * sum(later) / portfolios:.0f} ms each)"
    )
