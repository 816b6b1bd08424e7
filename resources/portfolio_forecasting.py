"""Forecasting on the lake: evaluations brought up to date, nights forecast, outcomes entered."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import dagster as dg
import polars as pl
from pydantic import Field

from pipelines.documents.portfolio_forecast import PortfolioForecast
from pipelines.forecasts.curve import EquityCurve, UnfitCurveError, require_forecastable
from pipelines.forecasts.evaluation import Evaluations, evaluate
from pipelines.forecasts.fits import Fits
from pipelines.forecasts.forecast import forecast
from pipelines.forecasts.members.catalogue import pool_members
from pipelines.forecasts.members.member import Member
from pipelines.forecasts.nightly import (
    NightForecast,
    abstaining_documents,
    draws_of,
    forecast_documents,
    forecast_rows,
    history_rows,
)
from pipelines.forecasts.portfolios import Portfolio
from pipelines.forecasts.record import horizon_record, risk_backtests, source_of
from pipelines.forecasts.settings import HORIZONS, ForecastSettings
from pipelines.forecasts.stored import curve_of, evaluation_rows, evaluations_of, fit_rows, fits_of
from pipelines.forecasts.tables import (
    PORTFOLIO_EVALUATIONS,
    PORTFOLIO_FITS,
    PORTFOLIO_FORECAST_HISTORY,
    PORTFOLIO_FORECASTS,
)
from pipelines.nights import Night
from resources.lake import Lake
from resources.lake_writer import LakeWriter
from resources.portfolios import Portfolios, require_readable

Progress = Callable[[str], None]
BATCH = 25
"""Portfolios that are read and committed at once: a killed first load loses a minute's work."""
NO_ROWS = pl.DataFrame()

OUTCOMES_QUERY = """
    SELECT history.* EXCLUDE (due_session, outcome_value, is_within_90),
        later.session AS due_session,
        history.last_portfolio_value * later.value / origin.value AS outcome_value,
        history.last_portfolio_value * later.value / origin.value
            BETWEEN history.p05 AND history.p95 AS is_within_90
    FROM portfolio_forecast_history AS history
    JOIN numbered AS origin USING (portfolio_id, session)
    JOIN numbered AS later ON later.portfolio_id = history.portfolio_id
        AND later.place = origin.place + history.horizon_days
    WHERE history.due_session IS NULL
    ORDER BY ALL
"""
"""A curve may have been marked anew since: what counts is its growth."""


@dataclass
class EvaluationReport:
    """What bringing evaluations up to date did."""

    origins: int = 0
    fits: int = 0
    faults: dict[str, str] = field(default_factory=dict)

    def count(self, case: "_Case", rows: pl.DataFrame, progress: Progress) -> None:
        """Count what is new of a portfolio, and tell of it."""
        self.origins += rows.height
        self.fits += len(case.fits.made)
        if rows.height:
            name = case.portfolio.portfolio_id
            progress(f"{name}: {rows.height:,} forecasts of the past evaluated")


@dataclass(frozen=True, eq=False)
class _Case:
    """One portfolio as a night sees it."""

    portfolio: Portfolio
    curve: EquityCurve
    evaluations: Evaluations
    fits: Fits

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
        return fit_rows(self.fits, self.curve.sessions, **self.identity)


@dataclass(frozen=True, eq=False)
class _Held:
    """Rows that the lake holds of some portfolios, through a session."""

    equity: pl.DataFrame
    evaluations: pl.DataFrame
    fits: pl.DataFrame


class PortfolioForecasting(dg.ConfigurableResource[Any]):
    """Evaluates and forecasts every portfolio."""

    lake: dg.ResourceDependency[Lake]
    portfolios: dg.ResourceDependency[Portfolios]
    deep: bool = Field(
        default=False, description="Whether the pool has models that need the extra `deep`."
    )

    @property
    def members(self) -> tuple[Member, ...]:
        """The pool's models.

        Raises:
            MissingExtraError: the extra `deep` is asked for and not installed.
        """
        return pool_members(deep=self.deep)

    def evaluate(self, *, night: Night, progress: Progress) -> EvaluationReport:
        """Evaluate every origin whose outcome has become known, portfolio by portfolio."""
        report = EvaluationReport()
        for batch in _batches(self.portfolios.landed()):
            new = []
            for portfolio, case in self._cases(batch, night.session):
                if isinstance(case, UnfitCurveError):
                    report.faults[portfolio.portfolio_id] = str(case)
                    continue
                new.append(self._evaluated(case))
                report.count(case, new[-1][0], progress)
            self._keep(new, night)
        return report

    def forecast(self, nights: Sequence[Night]) -> list[PortfolioForecast]:
        """Forecast every portfolio at each night and keep it: documents, quantiles and new fits."""
        made: list[PortfolioForecast] = []
        portfolios = self.portfolios.landed()
        for night in nights:
            for batch in _batches(portfolios):
                made += self._documents(batch, night)
        hashes = {one.portfolio_id: one.definition_hash for one in portfolios}
        rows, quantiles = forecast_rows(made, hashes), history_rows(made)

        def work(writer: LakeWriter) -> None:
            sessions = [night.session for night in nights]
            writer.replace(PORTFOLIO_FORECASTS, rows, sessions=sessions)
            writer.replace(PORTFOLIO_FORECAST_HISTORY, quantiles, sessions=sessions)

        if nights:
            self.lake.commit(work, night=nights[-1], message=f"forecast {len(hashes)} portfolios")
        return made

    def enter_outcomes(self, *, night: Night) -> int:
        """Enter what came of published quantiles that are due; return how many."""

        def work(writer: LakeWriter) -> int:
            writer.connection.execute(
                "CREATE OR REPLACE TEMP TABLE numbered AS SELECT *, row_number() OVER "
                "(PARTITION BY portfolio_id ORDER BY session) AS place FROM portfolio_equity "
                "WHERE session <= $session",
                {"session": night.session},
            )
            due = writer.read(OUTCOMES_QUERY)
            return writer.merge(PORTFOLIO_FORECAST_HISTORY, due).updated if due.height else 0

        return self.lake.commit(work, night=night, message="enter outcomes of forecasts")

    def evaluations(self, session: date) -> dict[str, Evaluations]:
        """Return what is known at a session of each portfolio that can be forecast."""
        return {
            portfolio.portfolio_id: case.evaluations
            for batch in _batches(self.portfolios.landed())
            for portfolio, case in self._cases(batch, session)
            if isinstance(case, _Case)  # the documents of the others tell why
        }

    def curve(self, portfolio_id: str, session: date) -> EquityCurve:
        """Return a portfolio's values through a session."""
        return curve_of(
            self.lake.read(
                "SELECT session, value FROM portfolio_equity "
                "WHERE portfolio_id = $portfolio_id AND session <= $session",
                {"portfolio_id": portfolio_id, "session": session},
            )
        )

    def _cases(
        self, portfolios: Sequence[Portfolio], session: date
    ) -> Iterator[tuple[Portfolio, "_Case | UnfitCurveError"]]:
        """Yield portfolios as they stood at a session, or why they can't be forecast.

        What the lake knows of them is read at once: a query takes as long as a forecast does.
        """
        key = {"ids": [portfolio.portfolio_id for portfolio in portfolios]}
        of_these = "WHERE list_contains($ids, portfolio_id)"
        until = key | {"session": session}
        held = _Held(
            self.lake.read(
                f"SELECT * FROM portfolio_equity {of_these} AND session <= $session", until
            ),
            self.lake.read(
                f"SELECT * FROM portfolio_evaluations {of_these} AND matured <= $session "
                "ORDER BY session, horizon_days",
                until,
            ),
            self.lake.read(
                f"SELECT * FROM portfolio_fits {of_these} ORDER BY model, values_seen", key
            ),
        )
        for portfolio in portfolios:
            try:
                yield portfolio, self._case(portfolio, held, session)
            except UnfitCurveError as error:
                yield portfolio, error

    def _case(self, portfolio: Portfolio, held: _Held, session: date) -> _Case:
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
        evaluated = _of_portfolio(held.evaluations, portfolio).filter(is_same)
        fits = _of_portfolio(held.fits, portfolio).filter(is_same)
        known = evaluations_of(evaluated, self.members, curve.sessions, ForecastSettings())
        return _Case(portfolio, curve, known, fits_of(fits))

    def _evaluated(self, case: _Case) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return what has become known of a portfolio's forecasts, and the fits that took."""
        settings = ForecastSettings()
        made = evaluate(
            self.members,
            case.curve.log_values,
            case.evaluations,
            fits=case.fits,
            settings=settings,
            draws=draws_of(case.portfolio.portfolio_id, settings),
        )
        rows = evaluation_rows(made, case.evaluations, case.curve.sessions, **case.identity)
        return rows, case.new_fits

    def _keep(self, new: Sequence[tuple[pl.DataFrame, pl.DataFrame]], night: Night) -> None:
        """Store new evaluations and fits of some portfolios, all or none."""
        evaluations = [rows for rows, _ in new if rows.height]
        fits = [rows for _, rows in new if rows.height]

        def work(writer: LakeWriter) -> None:
            for table, rows in ((PORTFOLIO_EVALUATIONS, evaluations), (PORTFOLIO_FITS, fits)):
                if rows:
                    writer.append(table, pl.concat(rows))

        if evaluations or fits:
            self.lake.commit(work, night=night, message=f"evaluate {len(new)} portfolios")

    def _documents(self, portfolios: Sequence[Portfolio], night: Night) -> list[PortfolioForecast]:
        """Return portfolios' documents of one night, or the reasons for having none."""
        made: list[PortfolioForecast] = []
        fits = []
        for portfolio, case in self._cases(portfolios, night.session):
            if isinstance(case, UnfitCurveError):
                made += self._abstaining(portfolio, night, case)
                continue
            made += self._forecast(case, night)
            fits.append((NO_ROWS, case.new_fits))
        self._keep(fits, night)
        return made

    def _forecast(self, case: _Case, night: Night) -> Iterator[PortfolioForecast]:
        """Return one portfolio's documents of one night."""
        settings = ForecastSettings()
        source, _ = source_of(case.evaluations)
        draws = draws_of(case.portfolio.portfolio_id, settings)
        distribution = forecast(
            self.members,
            case.curve.log_values,
            case.evaluations,
            source=source,
            fits=case.fits,
            settings=settings,
            draws=draws,
        )
        made = NightForecast(
            portfolio=case.portfolio,
            last_value=float(case.curve.values[-1]),
            history=len(case.curve),
            distribution=distribution,
            members=[member.name for member in self.members],
            records={horizon: horizon_record(case.evaluations, horizon) for horizon in HORIZONS},
            tests=risk_backtests(
                case.evaluations, distribution.quantiles[0], draws("risk", len(case.curve))
            ),
        )
        return forecast_documents(made, night)

    def _abstaining(
        self, portfolio: Portfolio, night: Night, error: UnfitCurveError
    ) -> list[PortfolioForecast]:
        """Return the documents that say why a portfolio has no forecast."""
        curve = self.curve(portfolio.portfolio_id, night.session)
        return list(
            abstaining_documents(
                portfolio,
                night,
                reason=error.reason,
                message=str(error),
                last_value=float(curve.values[-1]) if len(curve) else 0.0,
                history=len(curve),
            )
        )


def _batches(portfolios: Sequence[Portfolio]) -> Iterator[Sequence[Portfolio]]:
    """Yield portfolios some at a time."""
    for first in range(0, len(portfolios), BATCH):
        yield portfolios[first : first + BATCH]


def _of_portfolio(rows: pl.DataFrame, portfolio: Portfolio) -> pl.DataFrame:
    """Return the rows of one portfolio."""
    return rows.filter(pl.col("portfolio_id") == portfolio.portfolio_id)
