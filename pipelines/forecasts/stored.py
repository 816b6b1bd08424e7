"""Curves, fits and evaluations as rows of the lake, and back to the same bits."""

import json
from collections.abc import Mapping, Sequence
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
        "pool_version": pl.String(),
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
        "recipe": pl.String(),
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
    named = known.with_columns(pool=pl.col("models").list.join(","))
    for of_pool in named.partition_by("pool", maintain_order=True):
        _lay_out(of_pool, made, position)
    return made


def _lay_out(rows: pl.DataFrame, made: Evaluations, position: Mapping[date, int]) -> None:
    """Enter rows that were all made with the same models, in the same order."""
    origins = np.array([position[session] for session in rows["session"]]) - made.first
    horizons = np.searchsorted(HORIZONS, rows["horizon_days"].to_numpy())
    made.outcomes[origins, horizons] = rows["outcome"].to_numpy()
    models = rows["models"][0].to_list()
    kept = [place for place, model in enumerate(models) if model in made.models]
    columns = [made.models.index(models[place]) for place in kept]
    figures = np.stack(
        [rows[figure].explode().to_numpy().reshape(-1, len(models)) for figure in FIGURES], axis=-1
    )
    made.figures[origins[:, None], horizons[:, None], columns] = figures[:, kept]


def evaluation_rows(
    made: Evaluations,
    before: Evaluations,
    sessions: Sequence[date],
    *,
    portfolio_id: str,
    definition_hash: str,
    pool_version: str,
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
                pool_version,
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
    fits: Fits,
    sessions: Sequence[date],
    *,
    portfolio_id: str,
    definition_hash: str,
    recipe: str,
) -> pl.DataFrame:
    """Return new fits as rows of `portfolio_fits`."""
    rows = []
    for model, seen in fits.made:
        fit = fits.known[model, seen]
        parameters = None if fit.parameters is None else json.dumps(fit.parameters, sort_keys=True)
        through = sessions[seen - 1]
        identity = portfolio_id, model, through, definition_hash
        rows.append((*identity, seen, parameters, fit.fault, recipe))
    return pl.DataFrame(rows, schema=FIT_SCHEMA, orient="row")
