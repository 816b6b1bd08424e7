"""Fits of the market's regimes in the lake: made once by the training, then kept for good."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

import polars as pl

from pipelines.calendar import ExchangeCalendar
from pipelines.nights import Night
from pipelines.regimes.fits import FitKey, RegimeFit, promoted
from pipelines.regimes.history import market_history
from pipelines.regimes.queries import (
    FIRST_QUERY,
    INDEX_QUERY,
    SAMPLED_RETURNS_QUERY,
    SESSIONS_QUERY,
    UNIVERSE_QUERY,
    market_series,
)
from pipelines.regimes.refitting import reason_to_fit
from pipelines.regimes.series import MarketSeries
from pipelines.regimes.settings import RegimeSettings
from pipelines.regimes.tables import REGIME_FITS
from resources.lake import Lake
from resources.provenance import code_version
from resources.settings import PROJECT_ROOT

_ALL_FITS = """
    SELECT body, withdrawn_at IS NOT NULL AS is_withdrawn
    FROM regime_fits LEFT JOIN regime_withdrawals USING (applies_from, recipe)
    WHERE recipe = $recipe
"""
_FITS_QUERY = f"{_ALL_FITS} AND made_at <= $as_of ORDER BY applies_from"
_ALL_FITS_QUERY = f"{_ALL_FITS} ORDER BY applies_from"

_COUNT_QUERY = """
    SELECT count(*) FROM regime_fits WHERE recipe = $recipe AND applies_from <= $session
"""

_FITS_BEHIND_QUERY = """
    SELECT body, false AS is_withdrawn FROM regime_fits SEMI JOIN (
        SELECT applies_from, recipe FROM regime_states WHERE list_contains($sessions, session)
    ) USING (applies_from, recipe)
"""


def why_fit_first(
    lake: Lake, session: date, *, calendar: ExchangeCalendar, settings: RegimeSettings
) -> str | None:
    """Return why regimes should be fitted before a night tells them; None where they need not."""
    bounds = {"recipe": settings.recipe, "session": session}
    return reason_to_fit(
        lake.read(FIRST_QUERY)["first"][0],
        session,
        fits=lake.read(_COUNT_QUERY, bounds).item(),
        calendar=calendar,
        settings=settings,
    )


def stored_fits(lake: Lake, *, settings: RegimeSettings, as_of: datetime) -> dict[date, RegimeFit]:
    """Return the fits that a night seen from an instant may use, by the session they apply from.

    Those that were not promoted, or were withdrawn since, are left out: the one before goes on.
    """
    rows = lake.read(_FITS_QUERY, {"recipe": settings.recipe, "as_of": as_of})
    return {fit.applies_from: fit for fit in promoted(_read_back(rows))}


def fits_behind(lake: Lake, sessions: Sequence[date]) -> dict[FitKey, RegimeFit]:
    """Return the fits that the states of some sessions were told by."""
    rows = lake.read(_FITS_BEHIND_QUERY, {"sessions": list(sessions)})
    return {(fit.applies_from, fit.recipe): fit for fit in _read_back(rows)}


def told_history(
    lake: Lake, fits: Mapping[date, RegimeFit], *, last: date, settings: RegimeSettings
) -> pl.DataFrame | None:
    """Return the market's regimes from the first fit to a session; None without a fit."""
    if not fits:
        return None
    first = lake.read(FIRST_QUERY)["first"][0]
    return market_history(fits, read_series(lake, first, last), settings)


def make_fits(
    lake: Lake, *, night: Night, settings: RegimeSettings, progress: Callable[[str], None]
) -> list[RegimeFit]:
    """Make the fits that are missing through a night's session; `keep_fits` writes them.

    One that a later night has made is not made again, though this night may not use it.
    """
    from pipelines.regimes.walk import walk_forward

    first = lake.read(FIRST_QUERY)["first"][0]
    if first is None:
        return []
    known = _read_back(lake.read(_ALL_FITS_QUERY, {"recipe": settings.recipe}))
    return list(
        walk_forward(
            read_series(lake, first, night.session),
            lake.read(SAMPLED_RETURNS_QUERY, {"first": first, "last": night.session}),
            known=known,
            settings=settings,
            progress=progress,
        )
    )


def keep_fits(
    lake: Lake, fits: Sequence[RegimeFit], *, night: Night, run_id: str | None = None
) -> None:
    """Add new fits to those that the lake keeps, with what they were made of."""
    if fits:
        made_of = {
            "lake_snapshot": lake.version(),
            "code_version": code_version(PROJECT_ROOT),
            "run_id": run_id,
        }
        rows = pl.DataFrame(
            [_row(fit, night) | made_of for fit in fits], schema_overrides={"run_id": pl.String}
        )
        lake.commit(
            lambda writer: writer.append(REGIME_FITS, rows), night=night, message="keep regime fits"
        )


def read_series(lake: Lake, first: date, last: date) -> list[MarketSeries]:
    """Return what may stand for the market from one session to another."""
    bounds = {"first": first, "last": last}
    sessions = lake.read(SESSIONS_QUERY, {"last": last}).filter(pl.col("session") >= first)
    return market_series(
        sessions["session"].to_list(),
        lake.read(INDEX_QUERY, bounds),
        lake.read(UNIVERSE_QUERY, bounds),
    )


def _read_back(rows: pl.DataFrame) -> list[RegimeFit]:
    """Return the fits of rows of the table."""
    return [
        replace(RegimeFit.from_document(json.loads(body)), is_withdrawn=is_withdrawn)
        for body, is_withdrawn in rows.select("body", "is_withdrawn").iter_rows()
    ]


def _row(fit: RegimeFit, night: Night) -> dict[str, object]:
    """Return a fit as a row of its table."""
    return {
        "applies_from": fit.applies_from,
        "recipe": fit.recipe,
        "fitted_from": fit.model.fitted_from,
        "fitted_through": fit.model.fitted_through,
        "night_id": night.night_id,
        "made_at": night.as_of,
        "series": fit.series,
        "candidate": fit.model.candidate.name,
        "log_score": fit.standing.score,
        "switches_per_year": fit.standing.switches_per_year,
        "agreement": fit.standing.agreement,
        "renamed": len(fit.naming.renamings),
        "body": json.dumps(fit.to_document(), allow_nan=False),
    }
