"""Curves, fits and evaluations as rows of the lake, and back to the same bits."""

import json
from collections.abc import Sequence
from datetime import date

import numpy as np
import polars as pl

from pipelines.forecasts.curve import EquityCurve
from pipelines.forecasts.evaluation import FIGURES, Evaluations, empty_evaluations
from pipelines.forecasts.fits import Fit, Fits
from pipelines.forecasts.members.member import Member
from pipelines.forecasts.settings import HORIZONS, ForecastSettings

EVALUATION_SCHEMA = pl.Schema(
    {
        "portfolio_id": pl.String(),
        "session": pl.Date(),
        "horizon_days": pl.Int32(),
        "definition_hash": pl.String(),
        "matured": pl.Date(),
        "outcome": pl.Float64(),
        "models": pl.List(pl.String()),
        **{figure: pl.List(pl.Float64()) for figure in FIGURES},
    }
)
FIT_SCHEMA = pl.Schema(
    {
        "portfolio_id": pl.String(),
        "model": pl.String(),
        "fitted_through": pl.Date(),
        "definition_hash": pl.String(),
        "values_seen": pl.Int32(),
        "parameters": pl.String(),
        "fault": pl.String(),
    }
)


def equity_rows(portfolio_id: str, curve: EquityCurve) -> pl.DataFrame:
    """Return a curve as rows of `portfolio_equity`."""
    return pl.DataFrame(
        {"portfolio_id": portfolio_id, "session": list(curve.sessions), "value": curve.values},
        schema={"portfolio_id": pl.String, "session": pl.Date, "value": pl.Float64},
    )


def curve_of(rows: pl.DataFrame) -> EquityCurve:
    """Return the curve of one portfolio's rows."""
    ordered = rows.sort("session")
    return EquityCurve(ordered["session"].to_list(), ordered["value"].to_numpy().astype(float))


def evaluations_of(
    rows: pl.DataFrame,
    members: Sequence[Member],
    sessions: Sequence[date],
    settings: ForecastSettings,
) -> Evaluations:
    """Return what rows of `portfolio_evaluations` tell of a curve, laid out for its length.

    Args:
        rows: Of one portfolio under one definition, matured by the curve's last session.
        members: The pool's models; a model that was not in the pool then has no figures.
        sessions: The curve's sessions.
        settings: How far back a new portfolio is evaluated.
    """
    position = {session: at for at, session in enumerate(sessions)}
    known = rows.filter(pl.col("session").is_in(list(position))) if rows.height else rows
    made = empty_evaluations(members, len(sessions), settings.evaluated)
    if known.height:
        # Where they once began, whatever was run since: an older night adds none before them.
        first = min(position[session] for session in known["session"])
        made = empty_evaluations(members, len(sessions), len(sessions) - 1 - first)
    places = {model: at for at, model in enumerate(made.models)}
    for row in known.iter_rows(named=True):
        at = position[row["session"]] - made.first, HORIZONS.index(row["horizon_days"])
        made.outcomes[at] = row["outcome"]
        columns = [places[model] for model in row["models"] if model in places]
        kept = [place for place, model in enumerate(row["models"]) if model in places]
        figures = np.array([row[figure] for figure in FIGURES], dtype=np.float64)
        made.figures[(*at, columns)] = figures[:, kept].T
    return made


def evaluation_rows(
    made: Evaluations,
    before: Evaluations,
    sessions: Sequence[date],
    *,
    portfolio_id: str,
    definition_hash: str,
) -> pl.DataFrame:
    """Return what is known now and was not before, as rows of `portfolio_evaluations`."""
    rows = []
    for origin, at in np.argwhere(made.known & ~before.known).tolist():
        position = made.first + origin
        figures = made.figures[origin, at]
        rows.append(
            (
                portfolio_id,
                sessions[position],
                HORIZONS[at],
                definition_hash,
                sessions[position + HORIZONS[at]],
                float(made.outcomes[origin, at]),
                list(made.models),
                *([float(value) for value in column] for column in figures.T),
            )
        )
    return pl.DataFrame(rows, schema=EVALUATION_SCHEMA, orient="row")


def fits_of(rows: pl.DataFrame) -> Fits:
    """Return the fits that rows of `portfolio_fits` tell of."""
    return Fits(
        {
            (row["model"], row["values_seen"]): Fit(
                json.loads(row["parameters"]) if row["parameters"] else None, row["fault"]
            )
            for row in rows.iter_rows(named=True)
        }
    )


def fit_rows(
    fits: Fits, sessions: Sequence[date], *, portfolio_id: str, definition_hash: str
) -> pl.DataFrame:
    """Return new fits as rows of `portfolio_fits`."""
    rows = []
    for model, seen in fits.made:
        fit = fits.known[model, seen]
        parameters = None if fit.parameters is None else json.dumps(fit.parameters, sort_keys=True)
        through = sessions[seen - 1]
        rows.append((portfolio_id, model, through, definition_hash, seen, parameters, fit.fault))
    return pl.DataFrame(rows, schema=FIT_SCHEMA, orient="row")
