"""Each night's regimes: read what the fits need of the lake, and tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from pipelines.nights import Night
from pipelines.regimes.history import fit_history
from pipelines.regimes.nightly import state_rows
from pipelines.regimes.queries import SESSIONS_QUERY, SYMBOL_RETURNS_QUERY
from pipelines.regimes.settings import RegimeSettings
from pipelines.regimes.windows import FitWindow, fit_windows
from resources.lake import Lake
from resources.regime_fits import read_series, stored_fits


@dataclass(frozen=True, eq=False)
class ToldRegimes:
    """Rows of `regime_states`, and the market through the newest fit's window for a picture."""

    rows: pl.DataFrame
    market: pl.DataFrame | None


def tell_regimes(
    lake: Lake,
    nights: Sequence[Night],
    *,
    universe: Sequence[str],
    first_sessions: Mapping[str, date],
    settings: RegimeSettings,
) -> ToldRegimes:
    """Return the regimes of some nights, each by a fit of its own time that it knew of.

    Args:
        lake: What the nights know.
        nights: The nights, in order; none are told as nothing.
        universe: Symbols to answer for.
        first_sessions: The session a symbol was first seen in.
        settings: Those of the fits.
    """
    told = [
        _told(lake, window, universe=universe, first_sessions=first_sessions, settings=settings)
        for window in _windows(lake, nights, settings)
    ]
    rows = pl.concat([one.rows for one in told]) if told else pl.DataFrame()
    return ToldRegimes(rows, told[-1].market if told else None)


def _windows(lake: Lake, nights: Sequence[Night], settings: RegimeSettings) -> list[FitWindow]:
    """Return the windows of nights; those seen from another instant may know of other fits."""
    windows = []
    for as_of in sorted({night.as_of for night in nights}):
        seen = [night for night in nights if night.as_of == as_of]
        sessions = lake.read(SESSIONS_QUERY, {"last": seen[-1].session})["session"].to_list()
        fits = stored_fits(lake, settings=settings, as_of=as_of)
        windows.extend(fit_windows(seen, fits, sessions, settings))
    return windows


def _told(
    lake: Lake,
    window: FitWindow,
    *,
    universe: Sequence[str],
    first_sessions: Mapping[str, date],
    settings: RegimeSettings,
) -> ToldRegimes:
    """Return the regimes of a window's nights."""
    last = window.sessions[-1]
    series = read_series(lake, window.read_from, last)
    rows = state_rows(
        window,
        series,
        lake.read(SYMBOL_RETURNS_QUERY, {"first": window.read_from, "last": last}),
        universe=universe,
        first_sessions=first_sessions,
        settings=settings,
    )
    if window.fit is None:
        return ToldRegimes(rows, None)
    first = window.sessions[0]
    market = fit_history(window.fit, series, first=first, last=last, settings=settings)
    return ToldRegimes(rows, market)
