"""Portfolio forecasts: what earlier ones were worth, tonight's, and what became of them."""

import dagster as dg

from assets.forecast_report import evaluation_metadata, forecast_metadata, pool_metadata
from assets.groups import Group
from assets.partitions import sessions_of_run
from assets.portfolio_equity import portfolio_equity
from assets.tables import table_asset
from pipelines.forecasts.light import Light
from pipelines.forecasts.nightly import rewritable_nights
from pipelines.forecasts.record import source_of
from pipelines.forecasts.tables import (
    POOL_DECISIONS,
    PORTFOLIO_EVALUATIONS,
    PORTFOLIO_FORECAST_HISTORY,
    PORTFOLIO_FORECASTS,
)
from resources.lake import Lake
from resources.market import Market
from resources.nights import Nights
from resources.pool_decisions import PoolJudge
from resources.portfolio_forecasting import PortfolioForecasting


@table_asset(POOL_DECISIONS, Group.FORECASTS, deps=[portfolio_equity], kinds={"numpy"})
def pool_decisions(
    context: dg.AssetExecutionContext,
    market: Market,
    nights: Nights,
    portfolio_forecasting: PortfolioForecasting,
) -> dg.MaterializeResult:
    """Which pool of models forecasts: the first by default, another one once it has beaten it.

    Settings that ask for another pool make it a challenger, once a quarter.
    """
    night = nights.find(sessions_of_run(context.run.tags, market))[-1]
    decision = PoolJudge(portfolio_forecasting, night, context.log.info).judge()
    return dg.MaterializeResult(metadata=pool_metadata(portfolio_forecasting, decision))


@table_asset(
    PORTFOLIO_EVALUATIONS,
    Group.FORECASTS,
    deps=[portfolio_equity, pool_decisions],
    kinds={"prophet", "statsforecast"},
)
def portfolio_evaluations(
    context: dg.AssetExecutionContext,
    lake: Lake,
    market: Market,
    nights: Nights,
    portfolio_forecasting: PortfolioForecasting,
) -> dg.MaterializeResult:
    """Scores of every model at past sessions, as each would have forecast that night.

    Weights and calibration of later nights are made of these alone. Models are fitted twice a year
    and filtered in between; fits are kept in `portfolio_fits`.
    """
    night = nights.find(sessions_of_run(context.run.tags, market))[-1]
    report = portfolio_forecasting.evaluate(night=night, progress=context.log.info)
    for portfolio_id, fault in report.faults.items():
        context.log.warning(f"{portfolio_id} can't be forecast: {fault}")
    held = lake.read("SELECT count(*) FROM portfolio_evaluations").item()
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": held,
            **evaluation_metadata(report, portfolio_forecasting.evaluations(night.session)),
        }
    )


@table_asset(
    PORTFOLIO_FORECASTS,
    Group.FORECASTS,
    deps=[portfolio_evaluations],
    kinds={"numpy"},
    by_session=True,
)
def portfolio_forecasts(
    context: dg.AssetExecutionContext,
    lake: Lake,
    market: Market,
    nights: Nights,
    portfolio_forecasting: PortfolioForecasting,
) -> dg.MaterializeResult:
    """Calibrated distribution of each portfolio's value over the next month, or why there is none.

    Every quantile is kept in `portfolio_forecast_history`. A live night is never rewritten.
    """
    sessions = sessions_of_run(context.run.tags, market)
    tonight = nights.join(sessions)
    fresh = rewritable_nights(tonight, lake.of_sessions(PORTFOLIO_FORECASTS, sessions))
    portfolio_forecasting.forecast(fresh)
    return dg.MaterializeResult(
        metadata={
            "nights_forecast": len(fresh),
            "live_nights_kept": len(tonight) - len(fresh),
            **forecast_metadata(
                lake.of_sessions(PORTFOLIO_FORECASTS, sessions), portfolio_forecasting, sessions[-1]
            ),
        }
    )


@table_asset(PORTFOLIO_FORECAST_HISTORY, Group.FORECASTS, deps=[portfolio_forecasts], kinds={"sql"})
def portfolio_forecast_history(
    context: dg.AssetExecutionContext,
    lake: Lake,
    market: Market,
    nights: Nights,
    portfolio_forecasting: PortfolioForecasting,
) -> dg.MaterializeResult:
    """Every quantile ever published, with what came of it once it is due."""
    night = nights.find(sessions_of_run(context.run.tags, market))[-1]
    entered = portfolio_forecasting.enter_outcomes(night=night)
    held = lake.read(
        "SELECT count(*) AS rows, count(outcome_value) AS due, avg(is_within_90::INT) AS within "
        "FROM portfolio_forecast_history"
    ).row(0, named=True)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": held["rows"],
            "outcomes_entered": entered,
            "outcomes_known": held["due"],
            "share_within_90": "none due" if held["within"] is None else f"{held['within']:.3f}",
        }
    )


@dg.asset_check(
    asset=portfolio_forecasts,
    description="Warns where a year of one-session risk shows a red light: the best-covered model "
    "is then published in place of the pool.",
)
def no_portfolio_shows_a_red_light(
    lake: Lake, portfolio_forecasting: PortfolioForecasting
) -> dg.AssetCheckResult:
    """Warn of portfolios whose value at risk was exceeded ten times or more in 250 sessions."""
    newest = lake.read("SELECT max(session) FROM portfolio_forecasts").item()
    lights = {
        portfolio_id: source_of(evaluations)
        for portfolio_id, evaluations in (
            portfolio_forecasting.evaluations(newest).items() if newest else ()
        )
    }
    red = [
        f"{portfolio_id}: {source} is published in place of the pool"
        for portfolio_id, (source, light) in lights.items()
        if light is Light.RED
    ]
    return dg.AssetCheckResult(
        passed=not red,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"red": red or "none", "portfolios_with_a_light": len(lights)},
    )
