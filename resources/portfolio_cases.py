"""Portfolios as a night and a pool see them: their curve, what forecasts were worth, fits."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from pipelines.forecasts.curve import EquityCurve, UnfitCurveError, require_forecastable
from pipelines.forecasts.evaluation import Evaluations, evaluate
from pipelines.forecasts.fits import Draws, Fits
from pipelines.forecasts.nightly import draws_of
from pipelines.forecasts.pool_definition import PoolDefinition
from pipelines.forecasts.portfolios import Portfolio
from pipelines.forecasts.stored import curve_of, evaluation_rows, evaluations_of, fit_rows, fits_of
from resources.lake import Lake
from resources.portfolios import Portfolios, require_readable

BATCH = 25
"""Portfolios that are read and committed at once: a killed first load loses a minute's work."""

OF_POOL = """
    coalesce(pool_version, (SELECT first(version ORDER BY decided_at) FROM pool_decisions), $pool)
    = $pool
"""
"""Evaluations of before pools had versions are the first pool's."""
OF_RECIPE = "coalesce(recipe, '1/1000') = $recipe"


@dataclass(frozen=True, eq=False)
class Case:
    """One portfolio as a night and a pool see it."""

    portfolio: Portfolio
    pool: PoolDefinition
    curve: EquityCurve
    evaluations: Evaluations
    fits: Fits

    @property
    def draws(self) -> Draws:
        """Where its random numbers come from."""
        return draws_of(self.portfolio.portfolio_id, self.pool.settings)

    @property
    def identity(self) -> dict[str, str]:
        """What its rows are kept under."""
        return {
            "portfolio_id": self.portfolio.portfolio_id,
            "definition_hash": self.portfolio.definition_hash,
        }

    @property
    def new_fits(self) -> pl.DataFrame:
        """Fits that the lake does not have yet, as rows."""
        sessions = self.curve.sessions
        return fit_rows(self.fits, sessions, **self.identity, recipe=self.pool.fit_recipe)

    def evaluated(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return what has become known of its forecasts, and the fits that took."""
        made = evaluate(
            self.pool.members(),
            self.curve.log_values,
            self.evaluations,
            fits=self.fits,
            settings=self.pool.settings,
            draws=self.draws,
        )
        rows = evaluation_rows(
            made,
            self.evaluations,
            self.curve.sessions,
            **self.identity,
            pool_version=self.pool.version,
        )
        return rows, self.new_fits


@dataclass(frozen=True, eq=False)
class _Held:
    """Rows that the lake holds of some portfolios, through a session."""

    equity: pl.DataFrame
    evaluations: pl.DataFrame
    fits: pl.DataFrame


@dataclass(frozen=True)
class PortfolioCases:
    """What the lake knows of portfolios, read for some of them at once."""

    lake: Lake
    portfolios: Portfolios
    pool: PoolDefinition

    def of(
        self, portfolios: Sequence[Portfolio], session: date
    ) -> Iterator[tuple[Portfolio, Case | UnfitCurveError]]:
        """Yield portfolios as they stood at a session, or why they can't be forecast.

        What the lake knows of them is read at once: a query takes as long as a forecast does.
        """
        held = self._held([portfolio.portfolio_id for portfolio in portfolios], session)
        for portfolio in portfolios:
            try:
                yield portfolio, self._case(portfolio, held, session)
            except UnfitCurveError as error:
                yield portfolio, error

    def _held(self, portfolio_ids: Sequence[str], session: date) -> _Held:
        """Return what the lake holds of some portfolios for the pool."""
        key: dict[str, Any] = {"ids": list(portfolio_ids)}
        of_these = "WHERE list_contains($ids, portfolio_id)"
        until = key | {"session": session}
        return _Held(
            self.lake.read(
                f"SELECT * FROM portfolio_equity {of_these} AND session <= $session", until
            ),
            self.lake.read(
                f"SELECT * FROM portfolio_evaluations {of_these} AND matured <= $session "
                f"AND {OF_POOL} ORDER BY session, horizon_days",
                until | {"pool": self.pool.version},
            ),
            self.lake.read(
                f"SELECT * FROM portfolio_fits {of_these} AND {OF_RECIPE} "
                "ORDER BY model, values_seen",
                key | {"recipe": self.pool.fit_recipe},
            ),
        )

    def _case(self, portfolio: Portfolio, held: _Held, session: date) -> Case:
        """Return a portfolio as it stood at a session.

        Raises:
            UnfitCurveError: it can't be forecast, with the reason.
        """
        require_readable(portfolio)
        curve = curve_of(_of_portfolio(held.equity, portfolio))
        if not len(curve):
            curve = self.portfolios.marked(portfolio, session)  # raises what is wrong with it
        require_forecastable(curve)
        is_same = pl.col("definition_hash") == portfolio.definition_hash
        known = evaluations_of(
            _of_portfolio(held.evaluations, portfolio).filter(is_same),
            self.pool.members(),
            curve.sessions,
            self.pool.settings,
        )
        fits = fits_of(_of_portfolio(held.fits, portfolio).filter(is_same))
        return Case(portfolio, self.pool, curve, known, fits)


def batches(portfolios: Sequence[Portfolio]) -> Iterator[Sequence[Portfolio]]:
    """Yield portfolios some at a time."""
    for first in range(0, len(portfolios), BATCH):
        yield portfolios[first : first + BATCH]


def _of_portfolio(rows: pl.DataFrame, portfolio: Portfolio) -> pl.DataFrame:
    """Return the rows of one portfolio."""
    return rows.filter(pl.col("portfolio_id") == portfolio.portfolio_id)
