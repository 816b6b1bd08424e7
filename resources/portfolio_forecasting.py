"""Forecasting on the lake: evaluations brought up to date, nights forecast, outcomes entered."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import dagster as dg
import polars as pl
from pydantic import Field

from pipelines.documents.portfolio_forecast import PortfolioForecast
from pipelines.forecasts.curve import EquityCurve, UnfitCurveError
from pipelines.forecasts.evaluation import Evaluations
from pipelines.forecasts.forecast import forecast
from pipelines.forecasts.nightly import (
    NightForecast,
    abstaining_documents,
    forecast_documents,
    forecast_rows,
    history_rows,
)
from pipelines.forecasts.pool_definition import PoolDefinition, configured_pool, left_out
from pipelines.forecasts.pool_history import POOLS_QUERY, PoolHistory
from pipelines.forecasts.portfolios import Portfolio
from pipelines.forecasts.record import horizon_record, risk_backtests, source_of
from pipelines.forecasts.settings import HORIZONS
from pipelines.forecasts.stored import curve_of
from pipelines.forecasts.tables import (
    PORTFOLIO_EVALUATIONS,
    PORTFOLIO_FITS,
    PORTFOLIO_FORECAST_HISTORY,
    PORTFOLIO_FORECASTS,
)
from pipelines.nights import Night
from resources.lake import Lake
from resources.lake_writer import LakeWriter
from resources.portfolio_cases import Case, PortfolioCases, batches
from resources.portfolios import Portfolios

Progress = Callable[[str], None]
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

    def count(self, case: Case, rows: pl.DataFrame, progress: Progress) -> None:
        """Count what is new of a portfolio, and tell of it."""
        self.origins += rows.height
        self.fits += len(case.fits.made)
        if rows.height:
            name = case.portfolio.portfolio_id
            progress(f"{name}: {rows.height:,} forecasts of the past evaluated")


class PortfolioForecasting(dg.ConfigurableResource[Any]):
    """Evaluates and forecasts every portfolio."""

    lake: dg.ResourceDependency[Lake]
    portfolios: dg.ResourceDependency[Portfolios]
    deep: bool = Field(
        default=False, description="Whether the pool has models that need the extra `deep`."
    )
    without: str = Field(
        default="", description="Models that are left out of the pool, separated by commas."
    )

    @property
    def configured(self) -> PoolDefinition:
        """The pool that settings ask for.

        Raises:
            MissingExtraError: the extra `deep` is asked for and not installed.
        """
        return configured_pool(deep=self.deep, without=left_out(self.without))

    def history(self) -> PoolHistory:
        """Return every decision about pools."""
        return PoolHistory.of(self.lake.read(POOLS_QUERY))

    def pool(self, as_of: datetime | None = None) -> PoolDefinition:
        """Return the pool that forecasts nights that are seen from an instant.

        Where this code can't make it any more it is the newest one, and before any decision the
        configured one.
        """
        history = self.history()
        for judged in (history.reigning(as_of), history.reigning()):
            if judged and judged.definition.unavailable is None:
                return judged.definition
        return self.configured

    def cases(self, pool: PoolDefinition) -> PortfolioCases:
        """Return portfolios as a pool sees them."""
        return PortfolioCases(self.lake, self.portfolios, pool)

    def evaluate(
        self,
        *,
        night: Night,
        progress: Progress,
        pool: PoolDefinition | None = None,
        portfolios: Sequence[Portfolio] | None = None,
    ) -> EvaluationReport:
        """Evaluate every origin whose outcome has become known, portfolio by portfolio.

        Args:
            night: Outcomes are known through its session.
            progress: Told of each portfolio.
            pool: Whose forecasts; without it, those of the pool that reigns in the night.
            portfolios: Which ones; without them, all.
        """
        report = EvaluationReport()
        cases = self.cases(pool or self.pool(night.as_of))
        for batch in batches(self.portfolios.landed() if portfolios is None else portfolios):
            new = []
            for portfolio, case in cases.of(batch, night.session):
                if isinstance(case, UnfitCurveError):
                    report.faults[portfolio.portfolio_id] = str(case)
                    continue
                new.append(case.evaluated())
                report.count(case, new[-1][0], progress)
            self._keep(new, night)
        return report

    def forecast(self, nights: Sequence[Night]) -> list[PortfolioForecast]:
        """Forecast every portfolio at each night and keep it: documents, quantiles and new fits."""
        made: list[PortfolioForecast] = []
        portfolios = self.portfolios.landed()
        for night in nights:
            cases = self.cases(self.pool(night.as_of))
            for batch in batches(portfolios):
                made += self._documents(cases, batch, night)
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
        """Return what is known at a session of each portfolio, under the pool that reigns now."""
        cases = self.cases(self.pool())
        return {
            portfolio.portfolio_id: case.evaluations
            for batch in batches(self.portfolios.landed())
            for portfolio, case in cases.of(batch, session)
            if isinstance(case, Case)  # the documents of the others tell why
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

    def _documents(
        self, cases: PortfolioCases, portfolios: Sequence[Portfolio], night: Night
    ) -> list[PortfolioForecast]:
        """Return portfolios' documents of one night, or the reasons for having none."""
        made: list[PortfolioForecast] = []
        fits = []
        for portfolio, case in cases.of(portfolios, night.session):
            if isinstance(case, UnfitCurveError):
                made += self._abstaining(portfolio, night, case)
                continue
            made += self._forecast(case, night)
            fits.append((NO_ROWS, case.new_fits))
        self._keep(fits, night)
        return made

    def _forecast(self, case: Case, night: Night) -> Iterator[PortfolioForecast]:
        """Return one portfolio's documents of one night."""
        source, _ = source_of(case.evaluations)
        distribution = forecast(
            case.pool.members(),
            case.curve.log_values,
            case.evaluations,
            source=source,
            fits=case.fits,
            settings=case.pool.settings,
            draws=case.draws,
        )
        made = NightForecast(
            portfolio=case.portfolio,
            last_value=float(case.curve.values[-1]),
            history=len(case.curve),
            distribution=distribution,
            pool=case.pool,
            records={horizon: horizon_record(case.evaluations, horizon) for horizon in HORIZONS},
            tests=risk_backtests(
                case.evaluations, distribution.quantiles[0], case.draws("risk", len(case.curve))
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
