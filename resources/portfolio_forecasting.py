"""Forecasting on the lake: evaluations brought up to date, nights forecast, outcomes entered."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import dagster as dg
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


@dataclass(frozen=True, eq=False)
class _Case:
    """One portfolio as a night sees it."""

    portfolio: Portfolio
    curve: EquityCurve
    evaluations: Evaluations
    fits: Fits


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
        settings, report = ForecastSettings(), EvaluationReport()
        for portfolio in self.portfolios.landed():
            try:
                case = self._case(portfolio, night.session, settings)
            except UnfitCurveError as error:
                report.faults[portfolio.portfolio_id] = str(error)
                continue
            made = evaluate(
                self.members,
                case.curve.log_values,
                case.evaluations,
                fits=case.fits,
                settings=settings,
                draws=draws_of(portfolio.portfolio_id, settings),
            )
            new = self._keep(case, made, night)
            report.origins += new
            report.fits += len(case.fits.made)
            if new:
                progress(f"{portfolio.portfolio_id}: {new:,} forecasts of the past evaluated")
        return report

    def forecast(self, nights: Sequence[Night]) -> list[PortfolioForecast]:
        """Forecast every portfolio at each night and keep it: documents, quantiles and new fits."""
        made: list[PortfolioForecast] = []
        portfolios = self.portfolios.landed()
        for night in nights:
            for portfolio in portfolios:
                made += self._documents(portfolio, night)
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
        made = {}
        for portfolio in self.portfolios.landed():
            try:
                made[portfolio.portfolio_id] = self._case(
                    portfolio, session, ForecastSettings()
                ).evaluations
            except UnfitCurveError:
                continue  # its documents tell why
        return made

    def curve(self, portfolio_id: str, session: date) -> EquityCurve:
        """Return a portfolio's values through a session."""
        return curve_of(
            self.lake.read(
                "SELECT session, value FROM portfolio_equity "
                "WHERE portfolio_id = $portfolio_id AND session <= $session",
                {"portfolio_id": portfolio_id, "session": session},
            )
        )

    def _case(self, portfolio: Portfolio, session: date, settings: ForecastSettings) -> _Case:
        """Return a portfolio as it stood at a session.

        Raises:
            UnfitCurveError: it can't be forecast, with the reason.
        """
        require_readable(portfolio)
        curve = self.curve(portfolio.portfolio_id, session)
        if not len(curve):
            curve = self.portfolios.marked(portfolio, session)  # raises what is wrong with it
        require_forecastable(curve)
        key = {"portfolio_id": portfolio.portfolio_id, "hash": portfolio.definition_hash}
        of_portfolio = "WHERE portfolio_id = $portfolio_id AND definition_hash = $hash"
        evaluated = self.lake.read(
            f"SELECT * FROM portfolio_evaluations {of_portfolio} AND matured <= $session "
            "ORDER BY session, horizon_days",
            {**key, "session": session},
        )
        fits = self.lake.read(
            f"SELECT * FROM portfolio_fits {of_portfolio} ORDER BY model, values_seen", key
        )
        known = evaluations_of(evaluated, self.members, curve.sessions, settings)
        return _Case(portfolio, curve, known, fits_of(fits))

    def _keep(self, case: _Case, made: Evaluations, night: Night) -> int:
        """Store what is new; return how many evaluations that are."""
        named = {
            "portfolio_id": case.portfolio.portfolio_id,
            "definition_hash": case.portfolio.definition_hash,
        }
        rows = evaluation_rows(made, case.evaluations, case.curve.sessions, **named)
        fits = fit_rows(case.fits, case.curve.sessions, **named)

        def work(writer: LakeWriter) -> None:
            writer.append(PORTFOLIO_EVALUATIONS, rows)
            writer.append(PORTFOLIO_FITS, fits)

        if rows.height or fits.height:
            self.lake.commit(work, night=night, message=f"evaluate {named['portfolio_id']}")
        return rows.height

    def _documents(self, portfolio: Portfolio, night: Night) -> list[PortfolioForecast]:
        """Return one portfolio's documents of one night, or the reason for having none."""
        settings = ForecastSettings()
        try:
            case = self._case(portfolio, night.session, settings)
        except UnfitCurveError as error:
            return self._abstaining(portfolio, night, error)
        source, _ = source_of(case.evaluations)
        draws = draws_of(portfolio.portfolio_id, settings)
        distribution = forecast(
            self.members,
            case.curve.log_values,
            case.evaluations,
            source=source,
            fits=case.fits,
            settings=settings,
            draws=draws,
        )
        self._keep(case, case.evaluations, night)
        made = NightForecast(
            portfolio=portfolio,
            last_value=float(case.curve.values[-1]),
            history=len(case.curve),
            distribution=distribution,
            members=[member.name for member in self.members],
            records={horizon: horizon_record(case.evaluations, horizon) for horizon in HORIZONS},
            tests=risk_backtests(
                case.evaluations, distribution.quantiles[0], draws("risk", len(case.curve))
            ),
        )
        return list(forecast_documents(made, night))

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
